"""Trigger: what a quarterly packet says never changes, nor does its PDF once there is one."""

from django.db import migrations

HOLD = """
CREATE FUNCTION weighbridge_packet_issued() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE TRIGGER issued BEFORE UPDATE OR DELETE ON reviews_cyclepacket
  FOR EACH ROW EXECUTE FUNCTION weighbridge_packet_issued();
"""
FORGET = "DROP TRIGGER issued ON reviews_cyclepacket; DROP FUNCTION weighbridge_packet_issued();"


class Migration(migrations.Migration):
    dependencies = [("reviews", "0013_cycle_packets")]
    operations = [migrations.RunSQL(HOLD, FORGET)]
