"""Triggers: published allocation rules and exchange rates never change."""

from importlib import import_module

from django.db import migrations

floor = import_module("governance.migrations.0002_append_only")


class Migration(migrations.Migration):
    dependencies = [("governance", "0012_bills")]
    operations = [
        floor.published("governance_allocationversion"),
        floor.append_only("governance_allocationrule"),
        floor.append_only("governance_exchangerate"),
    ]
