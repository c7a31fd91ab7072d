"""Tables of site."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# Log-in attempts are counted over all processes in this table of the shared cache.
MAKE_CACHE = """
CREATE TABLE IF NOT EXISTS weighbridge_cache (
    cache_key varchar(255) NOT NULL PRIMARY KEY, value text NOT NULL, expires timestamp with time zone NOT NULL
);
CREATE INDEX IF NOT EXISTS weighbridge_cache_expires ON weighbridge_cache (expires);
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AnsweredPost',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=120)),
                ('fingerprint', models.CharField(max_length=64)),
                ('status', models.PositiveSmallIntegerField(null=True)),
                ('content_type', models.CharField(blank=True, max_length=80)),
                ('body', models.BinaryField(default=b'')),
                ('received_at', models.DateTimeField()),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('user', 'key'), name='one_answer_per_key')],
            },
        ),
        migrations.RunSQL(MAKE_CACHE, 'DROP TABLE weighbridge_cache'),
    ]
