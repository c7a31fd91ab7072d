"""Triggers: a version is published by a change that another person proposed; a closed change and a checkpoint never change."""

from django.db import migrations

TWO_PEOPLE = """
CREATE FUNCTION weighbridge_two_people() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state <> 'published' OR NEW.published_by_id IS NULL OR (TG_OP = 'UPDATE' AND OLD.state = 'published') THEN
    RETURN NEW;
  END IF;
  PERFORM 1 FROM governance_rulechange AS change
    WHERE change.state = 'confirmed' AND change.closed_by_id = NEW.published_by_id
      AND CASE TG_TABLE_NAME WHEN 'governance_policyversion' THEN change.policy_id ELSE change.checklist_id END = NEW.id;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'a version of % is published by two people: one proposes, another confirms', TG_TABLE_NAME
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION weighbridge_refuse_closed() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE FUNCTION weighbridge_begin_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.state <> 'pending' THEN
    RAISE EXCEPTION 'a change is proposed before it is closed' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER begins_open BEFORE INSERT ON governance_rulechange
  FOR EACH ROW EXECUTE FUNCTION weighbridge_begin_open();
CREATE TRIGGER closed_once BEFORE UPDATE OR DELETE ON governance_rulechange
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse_closed();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON governance_rulechange
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON governance_checkpoint
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON governance_checkpoint
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER two_people BEFORE INSERT OR UPDATE ON governance_policyversion
  FOR EACH ROW EXECUTE FUNCTION weighbridge_two_people();
CREATE TRIGGER two_people BEFORE INSERT OR UPDATE ON governance_checklistversion
  FOR EACH ROW EXECUTE FUNCTION weighbridge_two_people();
"""
FORGET = """
DROP TRIGGER two_people ON governance_policyversion;
DROP TRIGGER two_people ON governance_checklistversion;
DROP TRIGGER append_only ON governance_checkpoint;
DROP TRIGGER append_only_truncate ON governance_checkpoint;
DROP TRIGGER begins_open ON governance_rulechange;
DROP TRIGGER closed_once ON governance_rulechange;
DROP TRIGGER never_emptied ON governance_rulechange;
DROP FUNCTION weighbridge_two_people();
DROP FUNCTION weighbridge_refuse_closed();
DROP FUNCTION weighbridge_begin_open();
"""


class Migration(migrations.Migration):
    dependencies = [("governance", "0007_two_people_and_checkpoints")]
    operations = [migrations.RunSQL(TWO_PEOPLE, FORGET)]
