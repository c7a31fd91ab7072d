"""Triggers: no version changes hands, since who wrote a draft decides who may publish it; nor is the rulebook emptied."""

from django.db import migrations

REFUSE = """
CREATE OR REPLACE FUNCTION weighbridge_refuse_published() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND OLD.state = 'draft' THEN
    RETURN OLD;
  END IF;
  IF TG_OP = 'UPDATE' AND
     (NEW.name, NEW.number, NEW.source, NEW.digest, NEW.written_at, NEW.written_by_id) IS NOT DISTINCT FROM
     (OLD.name, OLD.number, OLD.source, OLD.digest, OLD.written_at, OLD.written_by_id)
     AND ((OLD.state = 'draft' AND NEW.state IN ('draft', 'published'))
          OR (OLD.state = 'published' AND NEW.state = 'retired' AND NEW.published_at = OLD.published_at
              AND NEW.published_by_id IS NOT DISTINCT FROM OLD.published_by_id)) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a version of % never changes: write a new one', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
"""


def never_emptied(table: str) -> migrations.RunSQL:
    """Refuse TRUNCATE."""
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER published_truncate BEFORE TRUNCATE ON {table}
          FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
        """,
        f"DROP TRIGGER published_truncate ON {table};",
    )


class Migration(migrations.Migration):
    dependencies = [("governance", "0002_append_only")]
    operations = [
        migrations.RunSQL(REFUSE, migrations.RunSQL.noop),
        never_emptied("governance_policyversion"),
        never_emptied("governance_checklistversion"),
    ]
