"""Tables of load tests."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='LoadTest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=120, unique=True)),
                ('plan', models.JSONField()),
                ('target', models.JSONField()),
                ('size', models.PositiveSmallIntegerField()),
                ('state', models.CharField(choices=[('queued', 'Queued'), ('claimed', 'Claimed'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed'), ('paused', 'Paused'), ('dead', 'Dead'), ('canceled', 'Canceled')], default='queued', max_length=12)),
                ('starts_at', models.DateTimeField(null=True)),
                ('error', models.TextField(blank=True, default='')),
                ('result', models.JSONField(null=True)),
                ('result_digest', models.CharField(blank=True, default='', max_length=71)),
                ('verdict', models.CharField(blank=True, choices=[('valid', 'Valid'), ('indicative', 'Indicative'), ('invalid', 'Invalid')], default='', max_length=10)),
                ('created_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(null=True)),
                ('started_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='LoadPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('queued', 'Queued'), ('claimed', 'Claimed'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed'), ('paused', 'Paused'), ('dead', 'Dead'), ('canceled', 'Canceled')], default='queued', max_length=12)),
                ('attempts', models.PositiveSmallIntegerField(default=0)),
                ('max_attempts', models.PositiveSmallIntegerField(default=3)),
                ('fence', models.PositiveIntegerField(default=0)),
                ('lease_until', models.DateTimeField(null=True)),
                ('next_attempt_at', models.DateTimeField()),
                ('error', models.TextField(blank=True, default='')),
                ('created_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(null=True)),
                ('number', models.PositiveSmallIntegerField()),
                ('progress', models.FloatField(default=0)),
                ('phase', models.CharField(blank=True, default='', max_length=120)),
                ('samples_digest', models.CharField(blank=True, default='', max_length=71)),
                ('told', models.JSONField(default=dict)),
                ('test', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='parts', to='load_tests.loadtest')),
            ],
        ),
        migrations.AddConstraint(
            model_name='loadtest',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'claimed', 'running', 'done', 'failed', 'paused', 'dead', 'canceled'])), name='load_test_state_known'),
        ),
        migrations.AddConstraint(
            model_name='loadtest',
            constraint=models.CheckConstraint(condition=models.Q(('size__gte', 1), ('size__lte', 64)), name='load_test_has_parts'),
        ),
        migrations.AddConstraint(
            model_name='loadtest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'done'), _negated=True), models.Q(('result__isnull', False), models.Q(('verdict', ''), _negated=True)), _connector='OR'), name='load_test_done_has_a_result'),
        ),
        migrations.AddIndex(
            model_name='loadpart',
            index=models.Index(fields=['state', 'next_attempt_at'], name='load_tests__state_1e8893_idx'),
        ),
        migrations.AddConstraint(
            model_name='loadpart',
            constraint=models.UniqueConstraint(fields=('test', 'number'), name='one_part_of_a_number'),
        ),
        migrations.AddConstraint(
            model_name='loadpart',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'claimed', 'running', 'done', 'failed', 'paused', 'dead', 'canceled'])), name='load_part_state_known'),
        ),
        migrations.AddConstraint(
            model_name='loadpart',
            constraint=models.CheckConstraint(condition=models.Q(('attempts__lte', models.F('max_attempts'))), name='load_part_is_tried_once'),
        ),
        migrations.AddConstraint(
            model_name='loadpart',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'done'), _negated=True), models.Q(('samples_digest', ''), _negated=True), _connector='OR'), name='load_part_done_has_samples'),
        ),
    ]
