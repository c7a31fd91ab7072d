"""Tokens have a scope; and the table of the shared cache, in which log-in attempts are counted over all processes."""

import governance.domain.scopes
from django.conf import settings
from django.db import migrations, models

MAKE_CACHE = """
CREATE TABLE IF NOT EXISTS weighbridge_cache (
    cache_key varchar(255) NOT NULL PRIMARY KEY, value text NOT NULL, expires timestamp with time zone NOT NULL
);
CREATE INDEX IF NOT EXISTS weighbridge_cache_expires ON weighbridge_cache (expires);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0004_budget_unit_words'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='apitoken',
            name='scope',
            field=models.CharField(choices=[('read', 'read'), ('write', 'write'), ('gate', 'gate')], db_default='write', default=governance.domain.scopes.Scope['WRITE'], max_length=5),
        ),
        migrations.AddConstraint(
            model_name='apitoken',
            constraint=models.CheckConstraint(condition=models.Q(('scope__in', ['read', 'write', 'gate'])), name='known_scope'),
        ),
        migrations.RunSQL(MAKE_CACHE, 'DROP TABLE weighbridge_cache'),
    ]
