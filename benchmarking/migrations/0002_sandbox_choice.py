"""Administrators' choices of the sandbox; append-only, because the latest one holds."""

from importlib import import_module

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

append_only = import_module("governance.migrations.0002_append_only").append_only


class Migration(migrations.Migration):
    dependencies = [
        ("benchmarking", "0001_initial"),
        ("governance", "0002_append_only"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="SandboxChoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("may_go_without", models.BooleanField()),
                ("reason", models.CharField(max_length=400)),
                ("chosen_at", models.DateTimeField()),
                (
                    "chosen_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="sandbox_choice_has_a_reason"
                    )
                ],
            },
        ),
        append_only("benchmarking_sandboxchoice"),
    ]
