"""Tables of quarterly, and the rules that the database holds."""

import django.db.models.deletion
import reviews.quarterly.domain.action_items
import reviews.quarterly.domain.agenda
import reviews.quarterly.domain.cycle
import reviews.quarterly.domain.decisions
from django.conf import settings
from django.db import migrations, models

RULES = """
CREATE FUNCTION weighbridge_cycle_closed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.state = 'closed' OR NEW.quarter <> OLD.quarter THEN
    RAISE EXCEPTION 'a closed review cycle never changes, and none is deleted: % is refused', TG_OP
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION weighbridge_of_open_cycle()
 RETURNS trigger
 LANGUAGE plpgsql
AS $$
DECLARE stands text;
BEGIN
  SELECT state INTO stands FROM quarterly_reviewcycle
    WHERE id = CASE TG_OP WHEN 'DELETE' THEN OLD.cycle_id ELSE NEW.cycle_id END;
  IF stands = 'closed' OR (TG_OP = 'DELETE' AND TG_TABLE_NAME = 'quarterly_agendaitem')
     OR (TG_OP = 'UPDATE' AND NEW.cycle_id <> OLD.cycle_id) THEN
    RAISE EXCEPTION 'rows of % change only while their review cycle is open: % is refused', TG_TABLE_NAME, TG_OP
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE FUNCTION weighbridge_decided_in_a_meeting()
 RETURNS trigger
 LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM 1 FROM quarterly_agendaitem AS item JOIN quarterly_reviewcycle AS cycle ON cycle.id = item.cycle_id
    WHERE item.id = NEW.item_id AND cycle.state = 'held' AND item.removed_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'a decision is taken in a held meeting on an item of its agenda' USING ERRCODE = 'restrict_violation';
  END IF;
  PERFORM 1 FROM quarterly_agendaitem AS item JOIN quarterly_attendance AS there ON there.cycle_id = item.cycle_id
    WHERE item.id = NEW.item_id AND there.side IN ('engineering', 'product')
    HAVING count(DISTINCT there.side) = 2;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'a decision needs a quorum of engineering and product' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION weighbridge_action_closed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.state IN ('done', 'dropped') OR
     (NEW.decision_id, NEW.ref, NEW.owner_id, NEW.due_on, NEW.opened_at) IS DISTINCT FROM
     (OLD.decision_id, OLD.ref, OLD.owner_id, OLD.due_on, OLD.opened_at) THEN
    RAISE EXCEPTION 'a closed action item never changes, nor what an open one asks of whom: % is refused', TG_OP
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION weighbridge_packet_issued()
 RETURNS trigger
 LANGUAGE plpgsql
AS $$
BEGIN
  IF TG_OP = 'DELETE' OR
     (NEW.cycle_id, NEW.number, NEW.document, NEW.document_digest, NEW.created_at) IS DISTINCT FROM
     (OLD.cycle_id, OLD.number, OLD.document, OLD.document_digest, OLD.created_at) OR
     (OLD.stored_as <> '' AND (NEW.stored_as, NEW.pdf_digest, NEW.pages) IS DISTINCT FROM
      (OLD.stored_as, OLD.pdf_digest, OLD.pages)) THEN
    RAISE EXCEPTION 'what an issued packet says never changes: % is refused', TG_OP USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON quarterly_meetingdecision
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON quarterly_meetingdecision
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER closed_once BEFORE DELETE OR UPDATE ON quarterly_reviewcycle
  FOR EACH ROW EXECUTE FUNCTION weighbridge_cycle_closed();
CREATE TRIGGER of_open_cycle BEFORE INSERT OR DELETE OR UPDATE ON quarterly_agendaitem
  FOR EACH ROW EXECUTE FUNCTION weighbridge_of_open_cycle();
CREATE TRIGGER of_open_cycle BEFORE INSERT OR DELETE OR UPDATE ON quarterly_attendance
  FOR EACH ROW EXECUTE FUNCTION weighbridge_of_open_cycle();
CREATE TRIGGER decided_in_a_meeting BEFORE INSERT ON quarterly_meetingdecision
  FOR EACH ROW EXECUTE FUNCTION weighbridge_decided_in_a_meeting();
CREATE TRIGGER closed_once BEFORE DELETE OR UPDATE ON quarterly_actionitem
  FOR EACH ROW EXECUTE FUNCTION weighbridge_action_closed();
CREATE TRIGGER issued BEFORE DELETE OR UPDATE ON quarterly_cyclepacket
  FOR EACH ROW EXECUTE FUNCTION weighbridge_packet_issued();
"""
FORGET = """
DROP TRIGGER append_only ON quarterly_meetingdecision;
DROP TRIGGER append_only_truncate ON quarterly_meetingdecision;
DROP TRIGGER closed_once ON quarterly_reviewcycle;
DROP TRIGGER of_open_cycle ON quarterly_agendaitem;
DROP TRIGGER of_open_cycle ON quarterly_attendance;
DROP TRIGGER decided_in_a_meeting ON quarterly_meetingdecision;
DROP TRIGGER closed_once ON quarterly_actionitem;
DROP TRIGGER issued ON quarterly_cyclepacket;
DROP FUNCTION weighbridge_packet_issued();
DROP FUNCTION weighbridge_action_closed();
DROP FUNCTION weighbridge_decided_in_a_meeting();
DROP FUNCTION weighbridge_of_open_cycle();
DROP FUNCTION weighbridge_cycle_closed();
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('audit', '0001_initial'),
        ('inventory', '0001_initial'),
        ('people', '0001_initial'),
        ('requests', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AgendaItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('follow_up', 'Decided before, not finished'), ('pending_investment', 'Investment pending'), ('new_investment', 'Investment approved this quarter'), ('over_budget', 'Over budget'), ('forecast_error', 'Bill differs from its projection'), ('breach', 'Limit exceeded'), ('prices', 'Prices old or changed'), ('finding', 'Open finding'), ('condition_due', 'Condition due'), ('expiring', 'Authorization ends'), ('waiver', 'Rule waived'), ('no_owner', 'Model without owner'), ('saving_found', 'Better variant, not in use'), ('saving_realized', 'Better variant, in use'), ('added', 'Added by the chair')], max_length=20)),
                ('subject', models.CharField(max_length=200)),
                ('title', models.CharField(max_length=400)),
                ('reason', models.TextField()),
                ('page', models.CharField(blank=True, max_length=300)),
                ('position', models.PositiveIntegerField()),
                ('added_at', models.DateTimeField()),
                ('removed_at', models.DateTimeField(null=True)),
                ('removal_reason', models.TextField(blank=True, default='')),
                ('added_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('asset', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='agenda_items', to='inventory.modelasset')),
                ('recurs', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='recurrences', to='quarterly.agendaitem')),
                ('removed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('request', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='agenda_items', to='requests.reviewrequest')),
                ('team', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='people.team')),
            ],
            options={
                'ordering': ['position', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='MeetingDecision',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('keep', 'keep'), ('optimize', 'optimize'), ('scale_down', 'scale down'), ('retire', 'retire'), ('re_review', 'review again'), ('budget_change', 'change the budget'), ('approve_investment', 'approve the investment')], max_length=20)),
                ('rationale', models.TextField()),
                ('due_on', models.DateField()),
                ('amount_usd', models.DecimalField(decimal_places=2, max_digits=16, null=True)),
                ('effect', models.TextField()),
                ('decided_at', models.DateTimeField()),
                ('decided_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to='quarterly.agendaitem')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='ActionItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(max_length=20, unique=True)),
                ('due_on', models.DateField()),
                ('state', models.CharField(choices=[('open', 'open'), ('acknowledged', 'acknowledged'), ('done', 'done'), ('dropped', 'dropped')], default=reviews.quarterly.domain.action_items.ActionState['OPEN'], max_length=12)),
                ('opened_at', models.DateTimeField()),
                ('outcome', models.TextField(blank=True, default='')),
                ('closed_at', models.DateTimeField(null=True)),
                ('closed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='action_items', to=settings.AUTH_USER_MODEL)),
                ('decision', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='action', to='quarterly.meetingdecision')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.CreateModel(
            name='RenderedSection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=71, unique=True)),
                ('pdf', models.BinaryField()),
                ('drawn_at', models.DateTimeField()),
                ('used_at', models.DateTimeField()),
            ],
            options={
                'indexes': [models.Index(fields=['used_at'], name='quarterly_r_used_at_414dbf_idx')],
            },
        ),
        migrations.CreateModel(
            name='ReviewCycle',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quarter', models.CharField(max_length=6, unique=True)),
                ('state', models.CharField(choices=[('planned', 'planned'), ('collecting', 'collecting'), ('frozen', 'frozen'), ('held', 'held'), ('closed', 'closed')], default=reviews.quarterly.domain.cycle.CycleState['PLANNED'], max_length=12)),
                ('planned_at', models.DateTimeField()),
                ('collecting_at', models.DateTimeField()),
                ('cut_off_at', models.DateTimeField()),
                ('gathered_at', models.DateTimeField(null=True)),
                ('is_reordered', models.BooleanField(default=False)),
                ('minutes_per_item', models.PositiveSmallIntegerField(default=5)),
                ('held_at', models.DateTimeField(null=True)),
                ('notes', models.TextField(blank=True, default='')),
                ('minutes', models.TextField(blank=True, default='')),
                ('minutes_digest', models.CharField(blank=True, default='', max_length=71)),
                ('closed_at', models.DateTimeField(null=True)),
                ('chair', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('closed_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-quarter'],
            },
        ),
        migrations.CreateModel(
            name='CyclePacket',
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
                ('number', models.PositiveIntegerField()),
                ('document', models.JSONField()),
                ('document_digest', models.CharField(max_length=71)),
                ('sections_total', models.PositiveIntegerField(default=0)),
                ('sections_done', models.PositiveIntegerField(default=0)),
                ('stored_as', models.CharField(blank=True, default='', max_length=200)),
                ('pdf_digest', models.CharField(blank=True, default='', max_length=71)),
                ('pages', models.PositiveIntegerField(null=True)),
                ('cycle', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='packets', to='quarterly.reviewcycle')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Attendance',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('side', models.CharField(choices=[('engineering', 'engineering'), ('product', 'product'), ('guest', 'guest')], max_length=12)),
                ('noted_at', models.DateTimeField()),
                ('noted_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('person', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('cycle', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attendances', to='quarterly.reviewcycle')),
            ],
            options={
                'ordering': ['pk'],
            },
        ),
        migrations.AddField(
            model_name='agendaitem',
            name='cycle',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='quarterly.reviewcycle'),
        ),
        migrations.AddConstraint(
            model_name='meetingdecision',
            constraint=models.UniqueConstraint(fields=('item', 'kind'), name='one_decision_per_item_and_kind'),
        ),
        migrations.AddConstraint(
            model_name='meetingdecision',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['keep', 'optimize', 'scale_down', 'retire', 're_review', 'budget_change', 'approve_investment'])), name='decision_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='meetingdecision',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('amount_usd__gte', 0), ('kind__in', [reviews.quarterly.domain.decisions.DecisionKind['BUDGET_CHANGE']])), models.Q(models.Q(('kind__in', [reviews.quarterly.domain.decisions.DecisionKind['BUDGET_CHANGE']]), _negated=True), ('amount_usd__isnull', True)), _connector='OR'), name='amount_where_the_budget_changes'),
        ),
        migrations.AddConstraint(
            model_name='meetingdecision',
            constraint=models.CheckConstraint(condition=models.Q(('rationale', ''), _negated=True), name='decision_says_why'),
        ),
        migrations.AddConstraint(
            model_name='actionitem',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['open', 'acknowledged', 'done', 'dropped'])), name='action_state_known'),
        ),
        migrations.AddConstraint(
            model_name='actionitem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', False), ('closed_by__isnull', False), ('state__in', [reviews.quarterly.domain.action_items.ActionState['DONE'], reviews.quarterly.domain.action_items.ActionState['DROPPED']]), models.Q(('outcome', ''), _negated=True)), models.Q(models.Q(('state__in', [reviews.quarterly.domain.action_items.ActionState['DONE'], reviews.quarterly.domain.action_items.ActionState['DROPPED']]), _negated=True), ('closed_at__isnull', True), ('closed_by__isnull', True), ('outcome', '')), _connector='OR'), name='closed_action_says_when_and_what'),
        ),
        migrations.AddConstraint(
            model_name='reviewcycle',
            constraint=models.CheckConstraint(condition=models.Q(('quarter__regex', '^\\d{4}Q[1-4]$')), name='cycle_quarter_is_written_2026Q4'),
        ),
        migrations.AddConstraint(
            model_name='reviewcycle',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['planned', 'collecting', 'frozen', 'held', 'closed'])), name='cycle_state_known'),
        ),
        migrations.AddConstraint(
            model_name='reviewcycle',
            constraint=models.CheckConstraint(condition=models.Q(('minutes_per_item__range', (1, 120))), name='minutes_per_item_planned'),
        ),
        migrations.AddConstraint(
            model_name='reviewcycle',
            constraint=models.CheckConstraint(condition=models.Q(('collecting_at__lt', models.F('cut_off_at'))), name='collecting_before_cut_off'),
        ),
        migrations.AddConstraint(
            model_name='reviewcycle',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['held', 'closed']), _negated=True), models.Q(('chair__isnull', False), ('held_at__isnull', False)), _connector='OR'), name='held_has_a_chair'),
        ),
        migrations.AddConstraint(
            model_name='reviewcycle',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state', reviews.quarterly.domain.cycle.CycleState['CLOSED']), _negated=True), models.Q(('closed_at__isnull', False), ('closed_by__isnull', False), models.Q(('minutes', ''), _negated=True), models.Q(('minutes_digest', ''), _negated=True)), _connector='OR'), name='closed_has_minutes'),
        ),
        migrations.AddConstraint(
            model_name='cyclepacket',
            constraint=models.UniqueConstraint(fields=('cycle', 'number'), name='one_cycle_packet_per_number'),
        ),
        migrations.AddConstraint(
            model_name='cyclepacket',
            constraint=models.CheckConstraint(condition=models.Q(('sections_done__lte', models.F('sections_total'))), name='no_more_done_than_there_are'),
        ),
        migrations.AddConstraint(
            model_name='attendance',
            constraint=models.UniqueConstraint(fields=('cycle', 'person'), name='one_side_per_person'),
        ),
        migrations.AddConstraint(
            model_name='attendance',
            constraint=models.CheckConstraint(condition=models.Q(('side__in', ['engineering', 'product', 'guest'])), name='side_known'),
        ),
        migrations.AddConstraint(
            model_name='agendaitem',
            constraint=models.UniqueConstraint(fields=('cycle', 'kind', 'subject'), name='once_on_an_agenda'),
        ),
        migrations.AddConstraint(
            model_name='agendaitem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('removal_reason', ''), ('removed_at__isnull', True), ('removed_by__isnull', True)), models.Q(('removed_at__isnull', False), models.Q(('removal_reason', ''), _negated=True)), _connector='OR'), name='removed_says_why'),
        ),
        migrations.AddConstraint(
            model_name='agendaitem',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind', reviews.quarterly.domain.agenda.AgendaKind['ADDED']), _negated=True), ('added_by__isnull', False), _connector='OR'), name='added_by_somebody'),
        ),
        migrations.RunSQL(RULES, FORGET),
    ]
