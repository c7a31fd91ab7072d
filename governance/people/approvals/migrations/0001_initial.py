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
  PERFORM 1 FROM approvals_rulechange AS change
    WHERE change.state = 'confirmed' AND change.closed_by_id = NEW.published_by_id
      AND CASE TG_TABLE_NAME WHEN 'rulebook_policyversion' THEN change.policy_id ELSE change.checklist_id END = NEW.id;
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
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.state = 'pending' AND NEW.state <> 'pending' AND
     (NEW.id, NEW.policy_id, NEW.checklist_id, NEW.user_id, NEW.role, NEW.reason, NEW.proposed_by_id, NEW.proposed_at,
      NEW.expires_at) IS NOT DISTINCT FROM
     (OLD.id, OLD.policy_id, OLD.checklist_id, OLD.user_id, OLD.role, OLD.reason, OLD.proposed_by_id, OLD.proposed_at,
      OLD.expires_at) THEN
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

CREATE TRIGGER begins_open BEFORE INSERT ON approvals_rulechange
  FOR EACH ROW EXECUTE FUNCTION weighbridge_begin_open();
CREATE TRIGGER closed_once BEFORE DELETE OR UPDATE ON approvals_rulechange
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse_closed();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON approvals_rulechange
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER two_people BEFORE INSERT OR UPDATE ON rulebook_policyversion
  FOR EACH ROW EXECUTE FUNCTION weighbridge_two_people();
CREATE TRIGGER two_people BEFORE INSERT OR UPDATE ON rulebook_checklistversion
  FOR EACH ROW EXECUTE FUNCTION weighbridge_two_people();
"""
FORGET = """
DROP TRIGGER begins_open ON approvals_rulechange;
DROP TRIGGER closed_once ON approvals_rulechange;
DROP TRIGGER never_emptied ON approvals_rulechange;
DROP TRIGGER two_people ON rulebook_policyversion;
DROP TRIGGER two_people ON rulebook_checklistversion;
DROP FUNCTION weighbridge_begin_open();
DROP FUNCTION weighbridge_refuse_closed();
DROP FUNCTION weighbridge_two_people();
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('audit', '0001_initial'),
        ('rulebook', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='RuleChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(blank=True, choices=[('reviewer', 'Reviewer'), ('platform_lead', 'Platform lead'), ('product_lead', 'Product lead'), ('finance', 'Finance'), ('admin', 'Admin')], max_length=20)),
                ('reason', models.TextField()),
                ('proposed_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('state', models.CharField(choices=[('pending', 'Pending'), ('confirmed', 'Confirmed'), ('refused', 'Refused'), ('withdrawn', 'Withdrawn'), ('expired', 'Expired')], default='pending', max_length=10)),
                ('closed_at', models.DateTimeField(null=True)),
                ('closing_reason', models.TextField(blank=True)),
                ('checklist', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='changes', to='rulebook.checklistversion')),
                ('closed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('policy', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='changes', to='rulebook.policyversion')),
                ('proposed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('checklist__isnull', True), ('policy__isnull', False), ('role', ''), ('user__isnull', True)), models.Q(('checklist__isnull', False), ('policy__isnull', True), ('role', ''), ('user__isnull', True)), models.Q(('checklist__isnull', True), ('policy__isnull', True), ('role__in', ['admin', 'finance', 'platform_lead', 'product_lead', 'reviewer']), ('user__isnull', False)), _connector='OR'), name='change_names_one_thing'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'confirmed'), _negated=True), models.Q(('closed_by__isnull', False), models.Q(('closed_by', models.F('proposed_by')), _negated=True)), _connector='OR'), name='another_person_confirms'), models.CheckConstraint(condition=models.Q(('user__isnull', True), models.Q(models.Q(('user', models.F('proposed_by')), _negated=True), models.Q(models.Q(('state', 'confirmed'), _negated=True), models.Q(('user', models.F('closed_by')), _negated=True), _connector='OR')), _connector='OR'), name='nobody_gains_by_own_hand'), models.CheckConstraint(condition=models.Q(models.Q(('state', 'pending'), ('closed_at__isnull', True), ('closed_by__isnull', True)), models.Q(('closed_at__isnull', False), ('closed_by__isnull', True), ('state', 'expired')), models.Q(('closed_at__isnull', False), ('closed_by__isnull', False), ('state__in', ['confirmed', 'refused'])), models.Q(('closed_at__isnull', False), ('closed_by', models.F('proposed_by')), ('closed_by__isnull', False), ('state', 'withdrawn')), _connector='OR'), name='closed_change_says_when_and_by_whom'), models.CheckConstraint(condition=models.Q(('expires_at__gt', models.F('proposed_at')), ('expires_at__lte', django.db.models.expressions.CombinedExpression(models.F('proposed_at'), '+', models.Value(datetime.timedelta(days=7)))), models.Q(models.Q(('state', 'confirmed'), _negated=True), ('closed_at__lt', models.F('expires_at')), _connector='OR')), name='change_waits_seven_days'), models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('policy',), name='one_open_change_of_a_policy'), models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('checklist',), name='one_open_change_of_a_checklist'), models.UniqueConstraint(condition=models.Q(('state', 'pending')), fields=('user', 'role'), name='one_open_change_of_a_role')],
            },
        ),
        migrations.RunSQL(RULES, FORGET),
    ]
