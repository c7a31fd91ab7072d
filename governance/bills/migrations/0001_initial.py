"""Tables of bills, and the rules that the database holds."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

# One partition for each month of billing, made when the first bill of the month is read. The key of a partitioned table must
# hold the column it is partitioned by; `id` alone is unique because one sequence numbers all partitions.
PARTITIONED = """
CREATE SEQUENCE bills_spendline_id_seq AS bigint;
CREATE TABLE bills_spendline (
  id bigint NOT NULL DEFAULT nextval('bills_spendline_id_seq'),
  slice_id bigint NOT NULL REFERENCES bills_billslice (id) DEFERRABLE INITIALLY DEFERRED,
  rule_id bigint NULL REFERENCES bills_allocationrule (id) DEFERRABLE INITIALLY DEFERRED,
  period date NOT NULL,
  day date NOT NULL,
  subaccount text NOT NULL,
  resource text NOT NULL,
  sku text NOT NULL,
  provider varchar(200) NOT NULL,
  service text NOT NULL,
  service_category text NOT NULL,
  region text NOT NULL,
  category varchar(10) NOT NULL,
  meter text NOT NULL,
  model text NOT NULL,
  snapshot text NOT NULL,
  direction varchar(6) NOT NULL,
  cache_action varchar(8) NOT NULL,
  subject varchar(71) NOT NULL,
  is_correction boolean NOT NULL,
  currency varchar(3) NOT NULL CONSTRAINT currency_is_three_letters CHECK (currency ~ '^[A-Z]{3}$'),
  tags jsonb NOT NULL,
  rows bigint NOT NULL,
  billed numeric(38, 12) NOT NULL,
  effective numeric(38, 12) NOT NULL,
  listed numeric(38, 12) NOT NULL,
  gpu_hours numeric(38, 12) NOT NULL,
  server_hours numeric(38, 12) NOT NULL,
  tokens numeric(38, 12) NOT NULL,
  model_requests numeric(38, 12) NOT NULL,
  remainder numeric(38, 12) NOT NULL,
  CONSTRAINT token_kind_known CHECK (
    direction IN ('', 'input', 'output') AND cache_action IN ('', 'read', 'write', 'uncached', 'other')
  ),
  PRIMARY KEY (period, id)
) PARTITION BY RANGE (period);
ALTER SEQUENCE bills_spendline_id_seq OWNED BY bills_spendline.id;
CREATE INDEX bills_spendline_slice ON bills_spendline (slice_id);
CREATE INDEX bills_spendline_rule ON bills_spendline (rule_id, day);
"""

RULES = """
CREATE TRIGGER published_is_immutable BEFORE DELETE OR UPDATE ON bills_allocationversion
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse_published();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON bills_allocationrule
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON bills_allocationrule
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON bills_exchangerate
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON bills_exchangerate
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER two_people BEFORE INSERT OR UPDATE ON bills_allocationversion
  FOR EACH ROW EXECUTE FUNCTION weighbridge_two_people();
"""
FORGET = """
DROP TRIGGER published_is_immutable ON bills_allocationversion;
DROP TRIGGER append_only ON bills_allocationrule;
DROP TRIGGER append_only_truncate ON bills_allocationrule;
DROP TRIGGER append_only ON bills_exchangerate;
DROP TRIGGER append_only_truncate ON bills_exchangerate;
DROP TRIGGER two_people ON bills_allocationversion;
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('rulebook', '0001_initial'),
        ('audit', '0001_initial'),
        ('approvals', '0001_initial'),
        ('inventory', '0001_initial'),
        ('people', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AllocationVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.SlugField(max_length=60)),
                ('number', models.PositiveIntegerField()),
                ('source', models.TextField()),
                ('digest', models.CharField(max_length=71)),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('published', 'Published'), ('retired', 'Retired')], default='draft', max_length=10)),
                ('written_at', models.DateTimeField()),
                ('published_at', models.DateTimeField(null=True)),
                ('published_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('written_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='AllocationRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rule_id', models.SlugField(max_length=80)),
                ('request_ref', models.CharField(blank=True, db_default='', default='', max_length=20)),
                ('asset', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='allocation_rules', to='inventory.modelasset')),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='allocation_rules', to='people.team')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rules', to='bills.allocationversion')),
            ],
        ),
        migrations.CreateModel(
            name='Bill',
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
                ('kind', models.CharField(choices=[('focus', 'Bill in the FOCUS format'), ('slurm', 'Accounting of Slurm (sacct)'), ('kubernetes', 'GPU use of a Kubernetes cluster'), ('openai', 'Usage and costs of OpenAI'), ('anthropic', 'Usage and costs of Anthropic'), ('litellm', 'Spend logs of LiteLLM'), ('opencost', 'Inference costs of OpenCost')], max_length=12)),
                ('origin', models.CharField(choices=[('upload', 'uploaded'), ('folder', 'watched folder'), ('command', 'command line'), ('api', 'API'), ('generated', 'generated')], max_length=10)),
                ('name', models.CharField(max_length=160)),
                ('digest', models.CharField(blank=True, default='', max_length=71)),
                ('size_bytes', models.BigIntegerField(default=0)),
                ('stored_as', models.CharField(blank=True, default='', max_length=200)),
                ('seen_as', models.CharField(blank=True, default='', max_length=400)),
                ('cluster', models.CharField(blank=True, default='', max_length=80)),
                ('refuses_existing', models.BooleanField(default=False)),
                ('progress', models.FloatField(default=0)),
                ('phase', models.CharField(blank=True, default='', max_length=120)),
                ('report', models.JSONField(null=True)),
                ('received_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='BillSlice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('provider', models.CharField(max_length=200)),
                ('billing_account', models.CharField(max_length=400)),
                ('period', models.DateField()),
                ('period_end', models.DateField()),
                ('rows', models.BigIntegerField()),
                ('lines_count', models.BigIntegerField()),
                ('gpu_hours', models.DecimalField(decimal_places=12, max_digits=38)),
                ('totals', models.JSONField(default=list)),
                ('is_current', models.BooleanField(default=True)),
                ('read_at', models.DateTimeField()),
                ('bill', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='slices', to='bills.bill')),
                ('replaced_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='replaced', to='bills.bill')),
            ],
        ),
        migrations.CreateModel(
            name='ExchangeRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('currency', models.CharField(max_length=3)),
                ('on', models.DateField()),
                ('usd', models.DecimalField(decimal_places=10, max_digits=20)),
                ('source', models.CharField(max_length=200)),
                ('set_at', models.DateTimeField()),
                ('set_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddConstraint(
            model_name='allocationversion',
            constraint=models.UniqueConstraint(fields=('name', 'number'), name='one_allocationversion_number'),
        ),
        migrations.AddConstraint(
            model_name='allocationversion',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'published')), fields=('name',), name='one_published_allocationversion'),
        ),
        migrations.AddConstraint(
            model_name='allocationversion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('published_at__isnull', True), ('state', 'draft')), models.Q(models.Q(('state', 'draft'), _negated=True), ('published_at__isnull', False)), _connector='OR'), name='allocationversion_published_has_a_time'),
        ),
        migrations.AddConstraint(
            model_name='allocationversion',
            constraint=models.CheckConstraint(condition=models.Q(('published_by__isnull', True), ('written_by__isnull', True), models.Q(('published_by', models.F('written_by')), _negated=True), _connector='OR'), name='allocationversion_author_does_not_publish'),
        ),
        migrations.AddConstraint(
            model_name='allocationrule',
            constraint=models.UniqueConstraint(fields=('version', 'rule_id'), name='one_rule_of_a_name'),
        ),
        migrations.AddIndex(
            model_name='bill',
            index=models.Index(fields=['state', 'next_attempt_at'], name='bills_bill_state_357b3c_idx'),
        ),
        migrations.AddIndex(
            model_name='bill',
            index=models.Index(fields=['seen_as'], name='bills_bill_seen_as_468349_idx'),
        ),
        migrations.AddConstraint(
            model_name='bill',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'claimed', 'running', 'done', 'failed', 'paused', 'dead', 'canceled'])), name='bill_state_known'),
        ),
        migrations.AddConstraint(
            model_name='bill',
            constraint=models.CheckConstraint(condition=models.Q(('progress__gte', 0), ('progress__lte', 1)), name='bill_progress_is_a_share'),
        ),
        migrations.AddConstraint(
            model_name='bill',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', 'done'), _negated=True), ('report__isnull', False), _connector='OR'), name='bill_done_has_a_report'),
        ),
        migrations.AddConstraint(
            model_name='bill',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('digest', ''), ('stored_as', ''), _negated=True), ('state', 'failed'), _connector='OR'), name='bill_is_kept_or_was_refused'),
        ),
        migrations.AddConstraint(
            model_name='bill',
            constraint=models.UniqueConstraint(condition=models.Q(models.Q(('state__in', ('failed', 'dead', 'canceled')), _negated=True), models.Q(('digest', ''), _negated=True)), fields=('digest',), name='one_bill_per_content'),
        ),
        migrations.AddConstraint(
            model_name='billslice',
            constraint=models.UniqueConstraint(condition=models.Q(('is_current', True)), fields=('provider', 'billing_account', 'period'), name='one_current_slice'),
        ),
        migrations.AddConstraint(
            model_name='billslice',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('is_current', True), ('replaced_by__isnull', True)), models.Q(('is_current', False), ('replaced_by__isnull', False)), _connector='OR'), name='slice_is_current_or_replaced'),
        ),
        migrations.AddConstraint(
            model_name='billslice',
            constraint=models.CheckConstraint(condition=models.Q(('period_end__gt', models.F('period'))), name='slice_period_runs_forward'),
        ),
        migrations.AddConstraint(
            model_name='exchangerate',
            constraint=models.CheckConstraint(condition=models.Q(('usd__gt', 0)), name='rate_is_positive'),
        ),
        migrations.AddConstraint(
            model_name='exchangerate',
            constraint=models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$'), models.Q(('currency', 'USD'), _negated=True)), name='rate_of_a_foreign_currency'),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(PARTITIONED, 'DROP TABLE bills_spendline;')],
            state_operations=[
                migrations.CreateModel(
                    name='SpendLine',
                    fields=[
                        ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                        ('period', models.DateField()),
                        ('day', models.DateField()),
                        ('subaccount', models.TextField(blank=True)),
                        ('resource', models.TextField(blank=True)),
                        ('sku', models.TextField(blank=True)),
                        ('provider', models.CharField(max_length=200)),
                        ('service', models.TextField(blank=True)),
                        ('service_category', models.TextField(blank=True)),
                        ('region', models.TextField(blank=True)),
                        ('category', models.CharField(max_length=10)),
                        ('meter', models.TextField(blank=True)),
                        ('model', models.TextField(blank=True)),
                        ('snapshot', models.TextField(blank=True)),
                        ('direction', models.CharField(blank=True, max_length=6)),
                        ('cache_action', models.CharField(blank=True, max_length=8)),
                        ('subject', models.CharField(blank=True, max_length=71)),
                        ('is_correction', models.BooleanField()),
                        ('currency', models.CharField(max_length=3)),
                        ('tags', models.JSONField(default=dict)),
                        ('rows', models.BigIntegerField()),
                        ('billed', models.DecimalField(decimal_places=12, max_digits=38)),
                        ('effective', models.DecimalField(decimal_places=12, max_digits=38)),
                        ('listed', models.DecimalField(decimal_places=12, max_digits=38)),
                        ('gpu_hours', models.DecimalField(decimal_places=12, max_digits=38)),
                        ('server_hours', models.DecimalField(decimal_places=12, default=0, max_digits=38)),
                        ('tokens', models.DecimalField(decimal_places=12, default=0, max_digits=38)),
                        ('model_requests', models.DecimalField(decimal_places=12, default=0, max_digits=38)),
                        ('remainder', models.DecimalField(decimal_places=12, default=0, max_digits=38)),
                        ('rule', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='bills.allocationrule')),
                        ('slice', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='bills.billslice')),
                    ],
                ),
                migrations.AddConstraint(
                    model_name='spendline',
                    constraint=models.CheckConstraint(condition=models.Q(('currency__regex', '^[A-Z]{3}$')), name='currency_is_three_letters'),
                ),
                migrations.AddConstraint(
                    model_name='spendline',
                    constraint=models.CheckConstraint(condition=models.Q(('direction__in', ['', 'input', 'output']), ('cache_action__in', ['', 'read', 'write', 'uncached', 'other'])), name='token_kind_known'),
                ),
            ],
        ),
        migrations.RunSQL(RULES, FORGET),
    ]
