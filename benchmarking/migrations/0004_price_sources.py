"""Sources of prices; append-only, because of each name the latest one holds."""

from importlib import import_module

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

append_only = import_module("governance.migrations.0002_append_only").append_only


class Migration(migrations.Migration):
    dependencies = [
        ("benchmarking", "0003_load_tests"),
        ("governance", "0002_append_only"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="PriceSource",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("list", "list"), ("rates", "rates")], max_length=8)),
                ("name", models.CharField(max_length=120)),
                ("content", models.TextField(blank=True)),
                ("published_at", models.DateTimeField()),
                (
                    "published_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["kind", "name", "-id"], name="price_source_latest")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("name", ""), _negated=True), name="price_source_has_a_name"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["list", "rates"])), name="price_source_kind_is_known"
                    ),
                ],
            },
        ),
        append_only("benchmarking_pricesource"),
    ]
