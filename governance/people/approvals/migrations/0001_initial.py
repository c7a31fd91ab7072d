"""Tables of approvals, and the rules that the database holds."""

import datetime
import django.db.models.deletion
import django.db.models.expressions
from django.conf import settings
from django.db import migrations, models

RULES = """
CREATE FUNCTION weighbridge_two_people()
 RETURNS trigger
 LANGUAGE plpgsql
AS $$
BEGIN
  IF NEW.state <> 'published' OR NEW.published_by_id IS NULL OR (TG_OP = 'UPDATE' AND OLD.state = 'published') THEN
    RETURN NEW;
  END IF;
  PERFORM 1 FROM approvals_change AS change
    WHERE change.state = 'confirmed' AND change.closed_by_id = NEW.published_by_id AND change.subject_id = NEW.id
      AND split_part(TG_TABLE_NAME, '_', 2) = change.kind || 'version';
  IF NOT FOUND THEN
    RAISE EXCEPTION 'a version of % is published by two people: one proposes, another confirms', TG_TABLE_NAME
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION weighbridge_refuse_closed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $$
DECLARE
  closing constant text[] := ARRAY['state', 'closed_by_id', 'closed_at', 'closing_reason'];
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.state = 'pending' AND NEW.state <> 'pending'
     AND to_jsonb(NEW) - closing = to_jsonb(OLD) - closing THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a proposed change is closed once and never changes: % is refused', TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION weighbridge_begin_open()
 RETURNS trigger
 LANGUAGE plpgsql
AS $$
BEGIN
  IF NEW.state <> 'pending' THEN
    RAISE EXCEPTION 'a change is proposed before it is closed' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER begins_open BEFORE INSERT ON approvals_change
  FOR EACH ROW EXECUTE FUNCTION weighbridge_begin_open();
CREATE TRIGGER closed_once BEFORE DELETE OR UPDATE ON approvals_change
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse_closed();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON approvals_change
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
"""
FORGET = """
DROP TRIGGER begins_open ON approvals_change;
DROP TRIGGER closed_once ON approvals_change;
DROP TRIGGER never_emptied ON approvals_change;
DROP FUNCTION weighbridge_begin_open();
DROP FUNCTION weighbridge_refuse_closed();
DROP FUNCTION weighbridge_two_people();
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('audit', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Change',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('policy', 'Policy'), ('policy_end', 'retirement of a policy'), ('checklist', 'Checklist'), ('catalog', 'metric catalog'), ('role', 'Role'), ('allocation', 'allocation rules'), ('budget', 'Budget'), ('owner', 'Owner'), ('tier_or_task', 'tier or task of a model'), ('retirement', 'Retirement'), ('sandbox', 'Sandbox'), ('dataset', 'evaluation set'), ('worker', 'Worker'), ('deputy', 'Deputy')], max_length=12)),
                ('subject_id', models.PositiveBigIntegerField()),
                ('part', models.CharField(blank=True, max_length=20)),
                ('details', models.JSONField(default=dict)),
                ('description', models.CharField(max_length=400)),
                ('reason', models.TextField()),
                ('proposed_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('pending', 'Pending'), ('confirmed', 'Confirmed'), ('refused', 'Refused'), ('withdrawn', 'Withdrawn'), ('expired', 'Expired')], default='pending', max_length=10)),
                ('closed_at', models.DateTimeField(null=True)),
                ('closing_reason', models.TextField(blank=True)),
                ('closed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('gains', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('proposed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('gains', models.F('subject_id')), ('gains__isnull', False), ('kind', 'role'), ('part__in', ['admin', 'data_steward', 'finance', 'platform_lead', 'product_lead', 'reviewer'])), models.Q(('kind__in', ['policy', 'policy_end', 'checklist', 'catalog', 'allocation', 'sandbox', 'dataset', 'worker']), ('part', '')), models.Q(('gains__isnull', True), ('kind', 'budget')), models.Q(('gains__isnull', True), ('kind__in', ['owner', 'tier_or_task', 'retirement']), ('part', '')), models.Q(('gains__isnull', False), ('kind', 'deputy'), ('part', '')), _connector='OR'), name='change_names_one_thing'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'confirmed'), _negated=True), models.Q(('closed_by__isnull', False), models.Q(('closed_by', models.F('proposed_by')), _negated=True)), _connector='OR'), name='another_person_confirms'), models.CheckConstraint(condition=models.Q(('gains__isnull', True), models.Q(models.Q(models.Q(('kind__in', ['role', 'deputy']), _negated=True), models.Q(('gains', models.F('proposed_by')), _negated=True), _connector='OR'), models.Q(models.Q(('state', 'confirmed'), _negated=True), models.Q(('gains', models.F('closed_by')), _negated=True), _connector='OR')), _connector='OR'), name='nobody_gains_by_own_hand'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'pending'), ('closed_at__isnull', True), ('closed_by__isnull', True)), models.Q(('closed_at__isnull', False), ('closed_by__isnull', True), ('state', 'expired')), models.Q(('state__in', ['confirmed', 'refused']), ('closed_at__isnull', False), ('closed_by__isnull', False)), models.Q(('closed_by', models.F('proposed_by')), ('state', 'withdrawn'), ('closed_at__isnull', False), ('closed_by__isnull', False)), _connector='OR'), name='closed_change_says_when_and_by_whom'), models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('proposed_at')), ('expires_at__lte', django.db.models.expressions.CombinedExpression(models.F('proposed_at'), '+', models.Value(datetime.timedelta(days=7)))), models.Q(models.Q(('state', 'confirmed'), _negated=True), ('closed_at__lt', models.F('expires_at')), _connector='OR')), name='change_waits_seven_days'), models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('kind', 'subject_id', 'part'), name='one_open_change_of_a_thing')],
            },
        ),
        migrations.RunSQL(RULES, FORGET),
    ]
