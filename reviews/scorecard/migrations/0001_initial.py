"""Tables of scorecard, and the rules that the database holds."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

RULES = """
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON scorecard_kpiactual
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON scorecard_kpiactual
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
"""
FORGET = """
DROP TRIGGER append_only ON scorecard_kpiactual;
DROP TRIGGER append_only_truncate ON scorecard_kpiactual;
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('audit', '0001_initial'),
        ('inventory', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Kpi',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=60)),
                ('name', models.CharField(max_length=120)),
                ('metric', models.CharField(max_length=120)),
                ('unit', models.CharField(max_length=60)),
                ('better', models.CharField(choices=[('higher', 'higher'), ('lower', 'lower')], max_length=6)),
                ('target', models.DecimalField(decimal_places=9, max_digits=25)),
                ('data_source', models.CharField(max_length=200)),
                ('how_estimated', models.TextField()),
                ('set_at', models.DateTimeField()),
                ('retired_at', models.DateTimeField(null=True)),
                ('asset', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='kpis', to='inventory.modelasset')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('set_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['asset', 'slug'],
            },
        ),
        migrations.CreateModel(
            name='KpiActual',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quarter', models.CharField(max_length=6)),
                ('value', models.DecimalField(decimal_places=9, max_digits=25)),
                ('target', models.DecimalField(decimal_places=9, max_digits=25)),
                ('channel', models.CharField(choices=[('form', 'typed in'), ('csv', 'from a CSV file'), ('api', 'by a program')], max_length=4)),
                ('source', models.CharField(blank=True, max_length=200)),
                ('supplied_at', models.DateTimeField()),
                ('kpi', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='actuals', to='scorecard.kpi')),
                ('supplied_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.AddConstraint(
            model_name='kpi',
            constraint=models.UniqueConstraint(fields=('asset', 'slug'), name='one_kpi_per_model_and_slug'),
        ),
        migrations.AddConstraint(
            model_name='kpi',
            constraint=models.CheckConstraint(condition=models.Q(('better__in', ['higher', 'lower'])), name='better_known'),
        ),
        migrations.AddIndex(
            model_name='kpiactual',
            index=models.Index(fields=['kpi', 'quarter'], name='scorecard_k_kpi_id_87fc22_idx'),
        ),
        migrations.AddConstraint(
            model_name='kpiactual',
            constraint=models.CheckConstraint(condition=models.Q(('quarter__regex', '^\\d{4}Q[1-4]$')), name='actual_quarter_is_written_2026Q4'),
        ),
        migrations.AddConstraint(
            model_name='kpiactual',
            constraint=models.CheckConstraint(condition=models.Q(('channel__in', ['form', 'csv', 'api'])), name='channel_known'),
        ),
        migrations.RunSQL(RULES, FORGET),
    ]
