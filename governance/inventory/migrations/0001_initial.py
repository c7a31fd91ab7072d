"""Tables of inventory."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
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
            name='ModelAsset',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=80)),
                ('name', models.CharField(max_length=160)),
                ('tier', models.CharField(choices=[('T1', 'T1 · customer-facing or financial'), ('T2', 'T2 · internal decision support'), ('T3', 'T3 · experiment')], max_length=2)),
                ('task', models.CharField(choices=[('classification', 'Classification'), ('multi-label classification', 'Multi-label classification'), ('regression', 'Regression'), ('forecasting', 'Forecasting'), ('ranking', 'Ranking'), ('retrieval', 'Retrieval'), ('detection', 'Detection'), ('segmentation', 'Segmentation'), ('generation', 'Generation'), ('speech', 'Speech'), ('embedding', 'Embedding'), ('uplift', 'Uplift'), ('other', 'Other')], max_length=30)),
                ('created_at', models.DateTimeField()),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='owned_models', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='models', to='people.team')),
            ],
        ),
        migrations.CreateModel(
            name='ModelVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.CharField(max_length=60)),
                ('kind', models.CharField(choices=[('file', 'One file'), ('manifest', 'A repository or folder of files'), ('container', 'A container image'), ('managed', 'A managed model behind an API'), ('pipeline', 'A pipeline of several models'), ('deployment', 'A language model as it is deployed')], default='file', max_length=10)),
                ('digest', models.CharField(max_length=71)),
                ('format', models.CharField(blank=True, max_length=16)),
                ('document', models.JSONField(default=dict)),
                ('ends_on', models.DateField(null=True)),
                ('contained', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=71), default=list, size=None)),
                ('lineage', models.JSONField(default=list)),
                ('parents', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=71), default=list, size=None)),
                ('size_bytes', models.BigIntegerField(null=True)),
                ('stored_as', models.CharField(blank=True, max_length=200)),
                ('uri', models.CharField(blank=True, max_length=500)),
                ('registered_at', models.DateTimeField()),
                ('asset', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='inventory.modelasset')),
                ('registered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddConstraint(
            model_name='modelasset',
            constraint=models.UniqueConstraint(fields=('team', 'slug'), name='one_asset_per_team_and_slug'),
        ),
        migrations.AddIndex(
            model_name='modelversion',
            index=models.Index(fields=['digest'], name='inventory_m_digest_a8e57d_idx'),
        ),
        migrations.AddIndex(
            model_name='modelversion',
            index=django.contrib.postgres.indexes.GinIndex(fields=['contained'], name='versions_by_part'),
        ),
        migrations.AddIndex(
            model_name='modelversion',
            index=django.contrib.postgres.indexes.GinIndex(fields=['parents'], name='versions_by_parent'),
        ),
        migrations.AddConstraint(
            model_name='modelversion',
            constraint=models.UniqueConstraint(fields=('asset', 'version'), name='one_artifact_per_version'),
        ),
        migrations.AddConstraint(
            model_name='modelversion',
            constraint=models.CheckConstraint(condition=models.Q(('digest__regex', '^sha256:[0-9a-f]{64}$')), name='digest_is_sha256'),
        ),
        migrations.AddConstraint(
            model_name='modelversion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('stored_as', ''), _negated=True), models.Q(('uri', ''), _negated=True), models.Q(('kind', 'file'), _negated=True), _connector='OR'), name='stored_or_named'),
        ),
        migrations.AddConstraint(
            model_name='modelversion',
            constraint=models.CheckConstraint(condition=models.Q(('uri', ''), ('uri__regex', '^(https|s3|gs|az|hf|oci|docker|mlflow)://.'), _connector='OR'), name='uri_is_remote'),
        ),
    ]
