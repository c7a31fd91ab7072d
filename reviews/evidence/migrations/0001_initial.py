"""Tables of evidence, and the rules that the database holds."""

import django.db.models.deletion
import weighbridge.core.metrics.basis
from django.conf import settings
from django.db import migrations, models

RULES = """
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON evidence_metricrecord
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON evidence_metricrecord
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON evidence_attestedstatement
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON evidence_attestedstatement
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON evidence_importedfile
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON evidence_importedfile
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON evidence_policyevaluation
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON evidence_policyevaluation
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON evidence_waiver
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON evidence_waiver
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON evidence_requestprojection
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON evidence_requestprojection
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON evidence_traffic
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON evidence_traffic
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
"""
FORGET = """
DROP TRIGGER append_only ON evidence_metricrecord;
DROP TRIGGER append_only_truncate ON evidence_metricrecord;
DROP TRIGGER append_only ON evidence_attestedstatement;
DROP TRIGGER append_only_truncate ON evidence_attestedstatement;
DROP TRIGGER append_only ON evidence_importedfile;
DROP TRIGGER append_only_truncate ON evidence_importedfile;
DROP TRIGGER append_only ON evidence_policyevaluation;
DROP TRIGGER append_only_truncate ON evidence_policyevaluation;
DROP TRIGGER append_only ON evidence_waiver;
DROP TRIGGER append_only_truncate ON evidence_waiver;
DROP TRIGGER append_only ON evidence_requestprojection;
DROP TRIGGER append_only_truncate ON evidence_requestprojection;
DROP TRIGGER append_only ON evidence_traffic;
DROP TRIGGER append_only_truncate ON evidence_traffic;
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('audit', '0001_initial'),
        ('projections', '0001_initial'),
        ('requests', '0001_initial'),
        ('rulebook', '0001_initial'),
        ('runs', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='PolicyEvaluation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('revision', models.PositiveIntegerField()),
                ('occasion', models.CharField(max_length=20)),
                ('outcome', models.CharField(max_length=20)),
                ('document', models.JSONField()),
                ('told', models.JSONField(null=True)),
                ('evaluated_at', models.DateTimeField()),
                ('policy', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='rulebook.policyversion')),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='policy_evaluations', to='requests.reviewrequest')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='ImportedFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('file_name', models.CharField(max_length=160)),
                ('file_digest', models.CharField(max_length=71)),
                ('part', models.CharField(blank=True, max_length=200)),
                ('tool', models.CharField(max_length=200)),
                ('verdict', models.CharField(max_length=10)),
                ('reasons', models.JSONField(default=list)),
                ('taken', models.JSONField(default=list)),
                ('left_out', models.JSONField(default=dict)),
                ('kind', models.CharField(blank=True, choices=[('load_test', 'Load test'), ('highest_rate', 'Highest rate'), ('sweep', 'Sweep'), ('learning_curve', 'Learning curve'), ('decision_matrix', 'Decision matrix'), ('experiment', 'A/B test'), ('device', 'Measurement on a device'), ('scores', 'Scores of predictions'), ('answers', 'Answers of a language model')], max_length=20)),
                ('study', models.JSONField(null=True)),
                ('imported_at', models.DateTimeField()),
                ('imported_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='imported_files', to='requests.reviewrequest')),
            ],
            options={
                'ordering': ['pk'],
                'constraints': [models.UniqueConstraint(fields=('request', 'file_digest', 'part'), name='one_import_per_file_and_part'), models.CheckConstraint(condition=models.Q(models.Q(('kind', ''), ('study__isnull', True)), models.Q(models.Q(('kind', ''), _negated=True), ('study__isnull', False)), _connector='OR'), name='study_has_a_kind')],
            },
        ),
        migrations.CreateModel(
            name='AttestedStatement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=71, unique=True)),
                ('envelope', models.JSONField()),
                ('key_name', models.CharField(max_length=200)),
                ('key_digest', models.CharField(max_length=71)),
                ('signer', models.CharField(choices=[('ci', 'ci'), ('cluster', 'cluster'), ('device', 'device'), ('vendor', 'vendor')], max_length=10)),
                ('tool', models.CharField(max_length=200)),
                ('verdict', models.CharField(max_length=10)),
                ('started_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField()),
                ('is_audited', models.BooleanField()),
                ('received_at', models.DateTimeField()),
                ('audit_run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='runs.run')),
                ('received_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attested_statements', to='requests.reviewrequest')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='MetricRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60)),
                ('value', models.DecimalField(decimal_places=9, max_digits=25)),
                ('unit', models.CharField(max_length=16)),
                ('basis', models.CharField(choices=[('declared', 'declared'), ('estimated', 'estimated'), ('derived', 'derived'), ('attested', 'attested'), ('measured', 'measured'), ('billed', 'billed')], max_length=10)),
                ('lower', models.DecimalField(decimal_places=9, max_digits=25, null=True)),
                ('upper', models.DecimalField(decimal_places=9, max_digits=25, null=True)),
                ('confidence', models.DecimalField(decimal_places=4, max_digits=5, null=True)),
                ('p80', models.DecimalField(decimal_places=9, max_digits=25, null=True)),
                ('n', models.PositiveBigIntegerField(null=True)),
                ('source', models.CharField(blank=True, max_length=300)),
                ('observed_at', models.DateTimeField()),
                ('valid_until', models.DateTimeField(null=True)),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='metric_records', to='requests.reviewrequest')),
                ('run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='metric_records', to='runs.run')),
                ('statement', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='metric_records', to='evidence.attestedstatement')),
                ('stated_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='ContradictionAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField()),
                ('answered_at', models.DateTimeField()),
                ('answered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='contradiction_answers', to='requests.reviewrequest')),
                ('claimed', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='evidence.metricrecord')),
                ('measured', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='evidence.metricrecord')),
            ],
        ),
        migrations.CreateModel(
            name='RequestProjection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('option', models.CharField(max_length=80)),
                ('changes', models.JSONField(default=dict)),
                ('widened_by', models.DecimalField(decimal_places=4, max_digits=16, null=True)),
                ('widened_on', models.PositiveIntegerField(null=True)),
                ('stated_at', models.DateTimeField()),
                ('projection', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='projections.costprojection')),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='projections', to='requests.reviewrequest')),
                ('run', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='runs.run')),
                ('stated_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Traffic',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('month', models.DateField()),
                ('requests', models.BigIntegerField()),
                ('channel', models.CharField(choices=[('form', 'typed in'), ('csv', 'from a CSV file'), ('api', 'by a program')], max_length=4)),
                ('source', models.CharField(blank=True, max_length=200)),
                ('supplied_at', models.DateTimeField()),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='traffic', to='requests.reviewrequest')),
                ('supplied_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='Waiver',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule_id', models.CharField(blank=True, max_length=80)),
                ('item_id', models.CharField(blank=True, max_length=80)),
                ('reason', models.TextField()),
                ('granted_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('granted_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='waivers', to='requests.reviewrequest')),
            ],
        ),
        migrations.CreateModel(
            name='ChecklistAnswer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('item', models.CharField(max_length=60)),
                ('text', models.TextField(blank=True)),
                ('file_name', models.CharField(blank=True, max_length=160)),
                ('file_digest', models.CharField(blank=True, max_length=71)),
                ('is_attested', models.BooleanField(default=False)),
                ('answered_at', models.DateTimeField()),
                ('answered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='checklist_answers', to='requests.reviewrequest')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('request', 'item'), name='one_answer_per_item')],
            },
        ),
        migrations.AddIndex(
            model_name='metricrecord',
            index=models.Index(fields=['request', 'name'], name='evidence_me_request_33f854_idx'),
        ),
        migrations.AddIndex(
            model_name='metricrecord',
            index=models.Index(fields=['name', 'value'], name='evidence_me_name_9d0fa4_idx'),
        ),
        migrations.AddConstraint(
            model_name='metricrecord',
            constraint=models.CheckConstraint(condition=models.Q(('basis__in', ['declared', 'estimated', 'derived', 'attested', 'measured', 'billed'])), name='known_basis'),
        ),
        migrations.AddConstraint(
            model_name='metricrecord',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('basis', weighbridge.core.metrics.basis.Basis['MEASURED']), _negated=True), ('run__isnull', False), _connector='OR'), name='measured_has_a_run'),
        ),
        migrations.AddConstraint(
            model_name='metricrecord',
            constraint=models.UniqueConstraint(fields=('run', 'name'), name='one_value_per_run_and_metric'),
        ),
        migrations.AddConstraint(
            model_name='metricrecord',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('lower__isnull', True), ('lower__lte', models.F('value')), _connector='OR'), models.Q(('upper__isnull', True), ('upper__gte', models.F('value')), _connector='OR')), name='interval_holds_value'),
        ),
        migrations.AddConstraint(
            model_name='contradictionanswer',
            constraint=models.UniqueConstraint(fields=('claimed', 'measured'), name='one_answer_per_contradiction'),
        ),
        migrations.AddConstraint(
            model_name='requestprojection',
            constraint=models.UniqueConstraint(fields=('request', 'number'), name='one_projection_per_number'),
        ),
        migrations.AddConstraint(
            model_name='requestprojection',
            constraint=models.UniqueConstraint(fields=('request', 'run'), name='one_projection_per_run'),
        ),
        migrations.AddConstraint(
            model_name='requestprojection',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('run__isnull', True), ('stated_by__isnull', False)), models.Q(('run__isnull', False), ('stated_by__isnull', True)), _connector='OR'), name='projection_is_stated_or_redrawn'),
        ),
        migrations.AddConstraint(
            model_name='requestprojection',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('widened_by__isnull', True), ('widened_on__isnull', True)), models.Q(('widened_by__gt', 1), ('widened_on__gte', 1)), _connector='OR'), name='widening_is_whole_and_never_narrows'),
        ),
        migrations.AddIndex(
            model_name='traffic',
            index=models.Index(fields=['request', 'month'], name='evidence_tr_request_01b42a_idx'),
        ),
        migrations.AddConstraint(
            model_name='traffic',
            constraint=models.CheckConstraint(condition=models.Q(('month__day', 1)), name='traffic_is_of_a_month'),
        ),
        migrations.AddConstraint(
            model_name='traffic',
            constraint=models.CheckConstraint(condition=models.Q(('requests__gte', 0)), name='traffic_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='traffic',
            constraint=models.CheckConstraint(condition=models.Q(('channel__in', ['form', 'csv', 'api'])), name='traffic_channel_known'),
        ),
        migrations.AddConstraint(
            model_name='waiver',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('rule_id', ''), models.Q(('item_id', ''), _negated=True)), models.Q(models.Q(('rule_id', ''), _negated=True), ('item_id', '')), _connector='OR'), name='waiver_of_a_rule_or_an_item'),
        ),
        migrations.AddConstraint(
            model_name='waiver',
            constraint=models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('granted_at'))), name='waiver_runs_out'),
        ),
        migrations.AddConstraint(
            model_name='metricrecord',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('basis', weighbridge.core.metrics.basis.Basis['ATTESTED']), ('statement__isnull', False)), models.Q(models.Q(('basis', weighbridge.core.metrics.basis.Basis['ATTESTED']), _negated=True), ('statement__isnull', True)), _connector='OR'), name='attested_has_a_statement'),
        ),
        migrations.AddConstraint(
            model_name='metricrecord',
            constraint=models.UniqueConstraint(fields=('statement', 'name'), name='one_value_per_statement_and_metric'),
        ),
        migrations.AddConstraint(
            model_name='attestedstatement',
            constraint=models.CheckConstraint(condition=models.Q(('finished_at__gte', models.F('started_at'))), name='attested_run_takes_time'),
        ),
        migrations.AddConstraint(
            model_name='attestedstatement',
            constraint=models.CheckConstraint(condition=models.Q(('audit_run__isnull', True), ('is_audited', True), _connector='OR'), name='audit_run_was_drawn'),
        ),
        migrations.RunSQL(RULES, FORGET),
    ]
