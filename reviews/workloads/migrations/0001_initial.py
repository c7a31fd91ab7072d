"""The tables of workloads."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('people', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ClusterReport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('cluster', models.CharField(max_length=80)),
                ('environment', models.CharField(choices=[('prod', 'Production'), ('staging', 'Staging'), ('dev', 'Development')], max_length=10)),
                ('observed_at', models.DateTimeField()),
                ('received_at', models.DateTimeField()),
                ('digest', models.CharField(max_length=71)),
                ('reporter', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='ObservedWorkload',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('namespace', models.CharField(blank=True, max_length=200)),
                ('name', models.CharField(max_length=200)),
                ('image', models.CharField(blank=True, max_length=500)),
                ('image_digest', models.CharField(blank=True, max_length=71)),
                ('model_digests', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=71), default=list, size=None)),
                ('since', models.DateTimeField(null=True)),
                ('first_seen_at', models.DateTimeField()),
                ('replicas', models.PositiveIntegerField()),
                ('gpus', models.JSONField(default=dict)),
                ('owner', models.CharField(blank=True, max_length=200)),
                ('report', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='workloads', to='workloads.clusterreport')),
                ('team', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.team')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.AddConstraint(
            model_name='clusterreport',
            constraint=models.UniqueConstraint(fields=('cluster', 'environment'), name='one_report_of_a_cluster'),
        ),
        migrations.AddConstraint(
            model_name='clusterreport',
            constraint=models.CheckConstraint(condition=models.Q(('observed_at__lte', models.F('received_at'))), name='observed_before_it_was_received'),
        ),
        migrations.AddConstraint(
            model_name='observedworkload',
            constraint=models.CheckConstraint(condition=models.Q(('image_digest__regex', '^(sha256:[0-9a-f]{64})?$')), name='image_digest_is_sha256_or_unknown'),
        ),
        migrations.AddConstraint(
            model_name='observedworkload',
            constraint=models.CheckConstraint(condition=models.Q(('replicas__gte', 1)), name='workload_has_a_replica'),
        ),
        migrations.CreateModel(
            name='UsageGateway',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('environment', models.CharField(choices=[('prod', 'Production'), ('staging', 'Staging'), ('dev', 'Development')], max_length=10)),
                ('received_at', models.DateTimeField()),
                ('digest', models.CharField(max_length=71)),
                ('reporter', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='UsageRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('digest', models.CharField(blank=True, max_length=71)),
                ('model', models.CharField(blank=True, max_length=200)),
                ('requests', models.BigIntegerField()),
                ('input_tokens', models.BigIntegerField()),
                ('cached_tokens', models.BigIntegerField()),
                ('output_tokens', models.BigIntegerField()),
                ('usd', models.DecimalField(decimal_places=12, max_digits=24, null=True)),
                ('gateway', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='records', to='workloads.usagegateway')),
            ],
        ),
        migrations.AddConstraint(
            model_name='usagegateway',
            constraint=models.UniqueConstraint(fields=('name', 'environment'), name='one_gateway_of_a_name'),
        ),
        migrations.AddIndex(
            model_name='usagerecord',
            index=models.Index(fields=['day'], name='workloads_u_day_3ee3fe_idx'),
        ),
        migrations.AddConstraint(
            model_name='usagerecord',
            constraint=models.UniqueConstraint(fields=('gateway', 'day', 'digest', 'model'), name='one_record_of_a_day_and_model'),
        ),
        migrations.AddConstraint(
            model_name='usagerecord',
            constraint=models.CheckConstraint(condition=models.Q(('digest', ''), ('model', ''), _connector='XOR'), name='digest_or_model'),
        ),
        migrations.AddConstraint(
            model_name='usagerecord',
            constraint=models.CheckConstraint(condition=models.Q(('cached_tokens__gte', 0), ('output_tokens__gte', 0), ('requests__gte', 0), ('input_tokens__gte', models.F('cached_tokens')), models.Q(('usd__isnull', True), ('usd__gte', 0), _connector='OR')), name='usage_is_not_negative'),
        ),
    ]
