"""Tables of personal notes."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('requests', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='DraftVote',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('revision', models.PositiveIntegerField()),
                ('choice', models.CharField(blank=True, choices=[('approve', 'approve'), ('reject', 'reject'), ('request_changes', 'request changes')], max_length=20)),
                ('rationale', models.TextField(blank=True)),
                ('conditions', models.JSONField(default=list)),
                ('in_place_of', models.CharField(blank=True, max_length=150)),
                ('lifted_ids', models.JSONField(default=list)),
                ('saved_at', models.DateTimeField()),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='draft_votes', to=settings.AUTH_USER_MODEL)),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='draft_votes', to='requests.reviewrequest')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('request', 'person'), name='one_draft_vote_per_person')],
            },
        ),
        migrations.CreateModel(
            name='LastLook',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveBigIntegerField()),
                ('revision', models.PositiveIntegerField()),
                ('looked_at', models.DateTimeField()),
                ('before_position', models.PositiveBigIntegerField(null=True)),
                ('before_revision', models.PositiveIntegerField(null=True)),
                ('before_at', models.DateTimeField(null=True)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='looks', to=settings.AUTH_USER_MODEL)),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='looks', to='requests.reviewrequest')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('request', 'person'), name='one_last_look_per_person'), models.CheckConstraint(condition=models.Q(models.Q(('before_at__isnull', True), ('before_position__isnull', True), ('before_revision__isnull', True)), models.Q(('before_at__isnull', False), ('before_position__isnull', False), ('before_revision__isnull', False)), _connector='OR'), name='visit_before_is_whole')],
            },
        ),
        migrations.CreateModel(
            name='ViewedPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('part', models.CharField(choices=[('metric_values', 'Metric values'), ('costs', 'Costs'), ('policy', 'Policy'), ('checklist', 'Checklist'), ('benchmarks', 'Benchmarks'), ('alternatives', 'Alternatives'), ('packet', 'Packet')], max_length=20)),
                ('revision', models.PositiveIntegerField()),
                ('digest', models.CharField(max_length=71)),
                ('viewed_at', models.DateTimeField()),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='viewed_parts', to=settings.AUTH_USER_MODEL)),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='viewed_parts', to='requests.reviewrequest')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('request', 'person', 'part'), name='one_mark_per_person_and_part'), models.CheckConstraint(condition=models.Q(('part__in', ['metric_values', 'costs', 'policy', 'checklist', 'benchmarks', 'alternatives', 'packet'])), name='known_part')],
            },
        ),
    ]
