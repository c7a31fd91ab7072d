"""Tables of jobs."""

from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Pulse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, unique=True)),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='OutboxMessage',
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
                ('kind', models.CharField(max_length=60)),
                ('key', models.CharField(max_length=160, unique=True)),
                ('lane', models.CharField(max_length=120)),
                ('payload', models.JSONField(default=dict)),
                ('is_uncertain', models.BooleanField(default=False)),
                ('asked_in', models.CharField(blank=True, db_default='', default='', max_length=64)),
                ('asked_by', models.CharField(blank=True, db_default='', default='', max_length=20)),
                ('taken_at', models.DateTimeField(null=True)),
            ],
            options={
                'indexes': [models.Index(fields=['state', 'next_attempt_at'], name='jobs_outbox_state_bc1002_idx'), models.Index(fields=['lane', 'id'], name='jobs_outbox_lane_c8e46a_idx'), models.Index(fields=['asked_by', 'kind', 'taken_at'], name='jobs_outbox_asked_b_81f8e8_idx')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'claimed', 'running', 'done', 'failed', 'paused', 'dead', 'canceled'])), name='outbox_state_known')],
            },
        ),
    ]
