"""Triggers: figures, determinations, revisions, votes and decisions are append-only."""

from importlib import import_module

from django.db import migrations

append_only = import_module("governance.migrations.0002_append_only").append_only


class Migration(migrations.Migration):
    dependencies = [("reviews", "0001_initial"), ("governance", "0002_append_only")]
    operations = [
        append_only("reviews_fact"),
        append_only("reviews_determination"),
        append_only("reviews_revision"),
        append_only("reviews_vote"),
        append_only("reviews_decision"),
    ]
