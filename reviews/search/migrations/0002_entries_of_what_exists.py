"""The entries of what existed before the triggers, some at a time: whoever writes meanwhile waits for one part at most."""

from importlib import import_module

from django.db import migrations

AT_ONCE = 1_000
FOLLOWED = import_module("reviews.search.migrations.0001_search_sources").FOLLOWED


def enter(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        for kind, (table, _) in FOLLOWED.items():
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
