"""Triggers: a closed cycle and what hangs on it never change; decisions are taken in a held meeting; closed items stay so."""

from importlib import import_module

from django.db import migrations

append_only = import_module("governance.migrations.0002_append_only").append_only

HOLD = """
CREATE FUNCTION weighbridge_cycle_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.state = 'closed' OR NEW.quarter <> OLD.quarter THEN
    RAISE EXCEPTION 'a closed review cycle never changes, and none is deleted: % is refused', TG_OP
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION weighbridge_of_open_cycle() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE stands text;
BEGIN
  SELECT state INTO stands FROM reviews_reviewcycle
    WHERE id = CASE TG_OP WHEN 'DELETE' THEN OLD.cycle_id ELSE NEW.cycle_id END;
  IF stands = 'closed' OR (TG_OP = 'DELETE' AND TG_TABLE_NAME = 'reviews_agendaitem')
     OR (TG_OP = 'UPDATE' AND NEW.cycle_id <> OLD.cycle_id) THEN
    RAISE EXCEPTION 'rows of % change only while their review cycle is open: % is refused', TG_TABLE_NAME, TG_OP
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE FUNCTION weighbridge_decided_in_a_meeting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM reviews_agendaitem AS item JOIN reviews_reviewcycle AS cycle ON cycle.id = item.cycle_id
    WHERE item.id = NEW.item_id AND cycle.state = 'held' AND item.removed_at IS NULL;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'a decision is taken in a held meeting on an item of its agenda' USING ERRCODE = 'restrict_violation';
  END IF;
  PERFORM 1 FROM reviews_agendaitem AS item JOIN reviews_attendance AS there ON there.cycle_id = item.cycle_id
    WHERE item.id = NEW.item_id AND there.side IN ('engineering', 'product')
    HAVING count(DISTINCT there.side) = 2;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'a decision needs a quorum of engineering and product' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION weighbridge_action_closed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR OLD.state IN ('done', 'dropped') OR
     (NEW.decision_id, NEW.ref, NEW.owner_id, NEW.due_on, NEW.opened_at) IS DISTINCT FROM
     (OLD.decision_id, OLD.ref, OLD.owner_id, OLD.due_on, OLD.opened_at) THEN
    RAISE EXCEPTION 'a closed action item never changes, nor what an open one asks of whom: % is refused', TG_OP
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER closed_once BEFORE UPDATE OR DELETE ON reviews_reviewcycle
  FOR EACH ROW EXECUTE FUNCTION weighbridge_cycle_closed();
CREATE TRIGGER of_open_cycle BEFORE INSERT OR UPDATE OR DELETE ON reviews_agendaitem
  FOR EACH ROW EXECUTE FUNCTION weighbridge_of_open_cycle();
CREATE TRIGGER of_open_cycle BEFORE INSERT OR UPDATE OR DELETE ON reviews_attendance
  FOR EACH ROW EXECUTE FUNCTION weighbridge_of_open_cycle();
CREATE TRIGGER decided_in_a_meeting BEFORE INSERT ON reviews_meetingdecision
  FOR EACH ROW EXECUTE FUNCTION weighbridge_decided_in_a_meeting();
CREATE TRIGGER closed_once BEFORE UPDATE OR DELETE ON reviews_actionitem
  FOR EACH ROW EXECUTE FUNCTION weighbridge_action_closed();
"""
FORGET = """
DROP TRIGGER closed_once ON reviews_reviewcycle;
DROP TRIGGER of_open_cycle ON reviews_agendaitem;
DROP TRIGGER of_open_cycle ON reviews_attendance;
DROP TRIGGER decided_in_a_meeting ON reviews_meetingdecision;
DROP TRIGGER closed_once ON reviews_actionitem;
DROP FUNCTION weighbridge_cycle_closed();
DROP FUNCTION weighbridge_of_open_cycle();
DROP FUNCTION weighbridge_decided_in_a_meeting();
DROP FUNCTION weighbridge_action_closed();
"""


class Migration(migrations.Migration):
    dependencies = [("reviews", "0009_cycles"), ("governance", "0002_append_only")]
    operations = [
        append_only("reviews_meetingdecision"),
        append_only("reviews_kpiactual"),
        migrations.RunSQL(HOLD, FORGET),
    ]
