"""The entries of what existed before the triggers, some at a time: whoever writes meanwhile waits for one part at most."""

from django.db import migrations

AT_ONCE = 1_000
TABLES = {
    "request": "requests_reviewrequest",
    "model": "inventory_modelasset",
    "run": "runs_run",
    "dataset": "runs_dataset",
    "finding": "findings_finding",
    "change": "approvals_change",
    "bill": "bills_bill",
    "action": "quarterly_actionitem",
    "person": "auth_user",
}


def enter(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        for kind, table in TABLES.items():
            last = 0
            while last is not None:
                part = f"SELECT id FROM {table} WHERE id > %s ORDER BY id LIMIT {AT_ONCE}"
                [(last, ids)] = cursor.execute(f"SELECT max(id), array_agg(id) FROM ({part}) AS part", [last]).fetchall()
                cursor.execute("SELECT search_enter(%s, coalesce(%s::bigint[], '{}'))", [kind, ids])


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('search', '0001_search_sources'),
    ]

    operations = [
        migrations.RunPython(enter, migrations.RunPython.noop),
    ]
