"""Tables of runs, and the rules that the database holds."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

RULES = """
CREATE FUNCTION weighbridge_loosen_sandbox_by_two()
 RETURNS trigger
 LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM 1 FROM approvals_change AS change
    WHERE change.kind = 'sandbox' AND change.state = 'confirmed' AND change.closed_by_id = NEW.chosen_by_id
      AND change.closed_at = NEW.chosen_at;
  IF NEW.may_skip_bubblewrap AND NOT FOUND THEN
    RAISE EXCEPTION 'two people allow runs without bubblewrap: one proposes, another confirms'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER two_people BEFORE INSERT ON runs_sandboxchoice
  FOR EACH ROW EXECUTE FUNCTION weighbridge_loosen_sandbox_by_two();
CREATE FUNCTION weighbridge_govern_dataset()
 RETURNS trigger
 LANGUAGE plpgsql
AS $$
DECLARE
  moving constant text[] := ARRAY['status', 'governed_by_id', 'governed_at', 'steward_teams', 'retired_at'];
BEGIN
  IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - moving = to_jsonb(OLD) - moving THEN
    IF NEW.status = 'retired' AND OLD.status <> 'retired'
       AND (NEW.governed_by_id, NEW.governed_at, NEW.steward_teams)
         IS NOT DISTINCT FROM (OLD.governed_by_id, OLD.governed_at, OLD.steward_teams) THEN
      RETURN NEW;
    END IF;
    PERFORM 1 FROM approvals_change AS change
      WHERE change.kind = 'dataset' AND change.state = 'confirmed' AND change.subject_id = NEW.id
        AND change.closed_by_id = NEW.governed_by_id;
    IF FOUND AND OLD.status = 'proposed' AND NEW.status = 'governed' THEN
      RETURN NEW;
    END IF;
  ELSIF TG_OP = 'INSERT' THEN
    PERFORM 1 FROM people_rolegrant AS held
      WHERE held.role = 'data_steward' AND held.user_id = NEW.registered_by_id;
    IF NEW.status = 'proposed' OR (FOUND AND NEW.status = 'governed' AND NEW.governed_by_id = NEW.registered_by_id) THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'an evaluation set never changes, and two people or a data steward govern it: % is refused', TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER governed_by_rule BEFORE INSERT OR DELETE OR UPDATE ON runs_dataset
  FOR EACH ROW EXECUTE FUNCTION weighbridge_govern_dataset();
CREATE TRIGGER governed_truncate BEFORE TRUNCATE ON runs_dataset
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON runs_sandboxchoice
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON runs_sandboxchoice
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
CREATE FUNCTION weighbridge_keep_worker()
 RETURNS trigger
 LANGUAGE plpgsql
AS $$
DECLARE
  moving constant text[] := ARRAY['last_seen_at', 'retired_by_id', 'retired_at'];
BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM 1 FROM approvals_change AS change
      WHERE change.kind = 'worker' AND change.state = 'confirmed' AND change.subject_id = NEW.account_id
        AND change.closed_by_id = NEW.registered_by_id AND change.closed_at = NEW.registered_at
        AND change.details->>'key_id' = NEW.key_id AND change.details->>'public_key' = NEW.public_key
        AND change.details->>'name' = NEW.name AND change.details->>'queue' = NEW.queue;
    IF FOUND AND NEW.retired_at IS NULL THEN
      RETURN NEW;
    END IF;
  ELSIF TG_OP = 'UPDATE' AND OLD.retired_at IS NULL AND to_jsonb(NEW) - moving = to_jsonb(OLD) - moving THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'two people register a worker, which never changes and is retired once: % is refused', TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER kept_by_rule BEFORE INSERT OR DELETE OR UPDATE ON runs_worker
  FOR EACH ROW EXECUTE FUNCTION weighbridge_keep_worker();
CREATE TRIGGER kept_truncate BEFORE TRUNCATE ON runs_worker
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
"""
FORGET = """
DROP TRIGGER kept_by_rule ON runs_worker;
DROP TRIGGER kept_truncate ON runs_worker;
DROP FUNCTION weighbridge_keep_worker();
DROP TRIGGER two_people ON runs_sandboxchoice;
DROP FUNCTION weighbridge_loosen_sandbox_by_two();
DROP TRIGGER governed_by_rule ON runs_dataset;
DROP TRIGGER governed_truncate ON runs_dataset;
DROP FUNCTION weighbridge_govern_dataset();
DROP TRIGGER append_only ON runs_sandboxchoice;
DROP TRIGGER append_only_truncate ON runs_sandboxchoice;
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('audit', '0001_initial'),
        ('approvals', '0001_initial'),
        ('inventory', '0001_initial'),
        ('people', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Dataset',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=120)),
                ('version', models.PositiveIntegerField()),
                ('license', models.CharField(max_length=120)),
                ('purpose', models.CharField(choices=[('acceptance', 'acceptance'), ('development', 'development'), ('calibration', 'calibration')], max_length=12)),
                ('digest', models.CharField(max_length=71)),
                ('size_bytes', models.BigIntegerField()),
                ('stored_as', models.CharField(max_length=200)),
                ('rows', models.PositiveBigIntegerField()),
                ('task', models.CharField(choices=[('classes', 'classes'), ('numbers', 'numbers')], max_length=8)),
                ('class_balance', models.JSONField(default=dict)),
                ('status', models.CharField(choices=[('proposed', 'proposed'), ('governed', 'governed'), ('retired', 'retired')], default='proposed', max_length=8)),
                ('registered_at', models.DateTimeField()),
                ('steward_teams', models.JSONField(default=list)),
                ('governed_at', models.DateTimeField(null=True)),
                ('retired_at', models.DateTimeField(null=True)),
                ('governed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('registered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('team', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='datasets', to='people.team')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('team', 'name', 'version'), name='one_dataset_per_version'), models.UniqueConstraint(fields=('team', 'digest'), name='one_dataset_per_content'), models.UniqueConstraint(condition=models.Q(('governed_at__isnull', False)), fields=('name', 'version'), name='one_governed_name'), models.CheckConstraint(condition=models.Q(models.Q(('governed_at__isnull', True), ('governed_by__isnull', True), ('retired_at__isnull', True), ('status', 'proposed')), models.Q(('governed_at__isnull', False), ('governed_by__isnull', False), ('retired_at__isnull', True), ('status', 'governed')), models.Q(('retired_at__isnull', False), ('status', 'retired')), _connector='OR'), name='dataset_status_says_when'), models.CheckConstraint(condition=models.Q(('rows__gte', 1), ('version__gte', 1), models.Q(('name', ''), _negated=True), models.Q(('license', ''), _negated=True)), name='dataset_is_described'), models.CheckConstraint(condition=models.Q(('purpose__in', ['acceptance', 'development', 'calibration'])), name='dataset_purpose_known')],
            },
        ),
        migrations.CreateModel(
            name='Worker',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.SlugField(max_length=60)),
                ('queue', models.CharField(choices=[('cpu', 'cpu'), ('gpu', 'gpu')], max_length=3)),
                ('machine', models.CharField(max_length=200)),
                ('public_key', models.TextField()),
                ('key_id', models.CharField(max_length=71)),
                ('registered_at', models.DateTimeField()),
                ('last_seen_at', models.DateTimeField(null=True)),
                ('retired_at', models.DateTimeField(null=True)),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bench_workers', to=settings.AUTH_USER_MODEL)),
                ('registered_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('retired_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('key_id',), name='one_worker_of_a_key'), models.UniqueConstraint(condition=models.Q(('retired_at__isnull', True)), fields=('name',), name='one_active_worker_of_a_name'), models.UniqueConstraint(condition=models.Q(('retired_at__isnull', True)), fields=('account',), name='one_active_worker_of_an_account'), models.CheckConstraint(condition=models.Q(models.Q(('name', ''), _negated=True), models.Q(('machine', ''), _negated=True), models.Q(('public_key', ''), _negated=True), models.Q(('key_id', ''), _negated=True)), name='worker_is_described'), models.CheckConstraint(condition=models.Q(models.Q(('retired_at__isnull', True), ('retired_by__isnull', True)), models.Q(('retired_at__isnull', False), ('retired_by__isnull', False)), _connector='OR'), name='retired_worker_says_by_whom')],
            },
        ),
        migrations.CreateModel(
            name='Run',
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
                ('key', models.CharField(max_length=120, unique=True)),
                ('asked_for', models.CharField(blank=True, max_length=20)),
                ('scenario', models.CharField(max_length=20)),
                ('plan', models.JSONField(default=dict)),
                ('progress', models.FloatField(default=0)),
                ('phase', models.CharField(blank=True, default='', max_length=120)),
                ('result', models.JSONField(null=True)),
                ('result_digest', models.CharField(blank=True, default='', max_length=71)),
                ('verdict', models.CharField(blank=True, choices=[('valid', 'Valid'), ('indicative', 'Indicative'), ('invalid', 'Invalid')], default='', max_length=10)),
                ('equivalence', models.JSONField(null=True)),
                ('worker_fence', models.PositiveIntegerField(null=True)),
                ('claimed_at', models.DateTimeField(null=True)),
                ('signed_result', models.JSONField(null=True)),
                ('dataset', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='runs.dataset')),
                ('model_version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='inventory.modelversion')),
                ('repeats', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='repetitions', to='runs.run')),
                ('started_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('worker', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='runs', to='runs.worker')),
            ],
            options={
                'indexes': [models.Index(fields=['asked_for'], name='runs_run_asked_f_1055e8_idx'), models.Index(fields=['state', 'next_attempt_at'], name='runs_run_state_8291e5_idx')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['queued', 'claimed', 'running', 'done', 'failed', 'paused', 'dead', 'canceled'])), name='run_state_known'), models.CheckConstraint(condition=models.Q(('progress__gte', 0), ('progress__lte', 1)), name='progress_is_a_share'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'done'), _negated=True), models.Q(('result__isnull', False), models.Q(('verdict', ''), _negated=True)), _connector='OR'), name='done_has_a_result'), models.CheckConstraint(condition=models.Q(('equivalence__isnull', True), models.Q(('repeats__isnull', False), ('state', 'done')), _connector='OR'), name='equivalence_is_to_a_run'), models.CheckConstraint(condition=models.Q(('signed_result__isnull', True), models.Q(('state', 'done'), ('worker__isnull', False), ('worker_fence', models.F('fence'))), _connector='OR'), name='signed_result_is_of_a_worker')],
            },
        ),
        migrations.CreateModel(
            name='SandboxChoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('may_skip_bubblewrap', models.BooleanField()),
                ('reason', models.TextField()),
                ('chosen_at', models.DateTimeField()),
                ('chosen_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='sandbox_choice_has_a_reason')],
            },
        ),
        migrations.RunSQL(RULES, FORGET),
    ]
