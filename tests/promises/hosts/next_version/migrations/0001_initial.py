"""The table of the next version, and a column that the version before does not know."""

import django.db.models.deletion
from django.db import migrations, models

ADD = "ALTER TABLE requests_reviewrequest ADD COLUMN notice text NOT NULL DEFAULT ''"
DROP = "ALTER TABLE requests_reviewrequest DROP COLUMN notice"


class Migration(migrations.Migration):
    initial = True
    dependencies = [("requests", "0003_requests_of_a_person")]
    operations = [
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "request",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="requests.reviewrequest"
                    ),
                ),
            ],
        ),
        migrations.RunSQL(ADD, DROP),
    ]
