"""Triggers: what is append-only refuses UPDATE, DELETE and TRUNCATE; a published document never changes."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION weighbridge_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'TRUNCATE' AND current_setting('weighbridge.maintenance', true) = 'on' THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'rows of % are append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION weighbridge_refuse_published() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND OLD.state = 'draft' THEN
    RETURN OLD;
  END IF;
  IF TG_OP = 'UPDATE' AND (NEW.name, NEW.number, NEW.source, NEW.digest, NEW.written_at) IS NOT DISTINCT FROM
     (OLD.name, OLD.number, OLD.source, OLD.digest, OLD.written_at)
     AND ((OLD.state = 'draft' AND NEW.state IN ('draft', 'published'))
          OR (OLD.state = 'published' AND NEW.state = 'retired' AND NEW.published_at = OLD.published_at
              AND NEW.published_by_id IS NOT DISTINCT FROM OLD.published_by_id)) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a version of % never changes: write a new one', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
"""


def append_only(table: str) -> migrations.RunSQL:
    """Refuse changes to `table`."""
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
          FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
        CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}
          FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
        """,
        f"DROP TRIGGER append_only ON {table}; DROP TRIGGER append_only_truncate ON {table};",
    )


def published(table: str) -> migrations.RunSQL:
    """Refuse changes to published rows of `table`."""
    return migrations.RunSQL(
        f"""
        CREATE TRIGGER published_is_immutable BEFORE UPDATE OR DELETE ON {table}
          FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse_published();
        """,
        f"DROP TRIGGER published_is_immutable ON {table};",
    )


class Migration(migrations.Migration):
    dependencies = [("governance", "0001_initial")]
    operations = [
        migrations.RunSQL(
            REFUSE, "DROP FUNCTION weighbridge_refuse(); DROP FUNCTION weighbridge_refuse_published();"
        ),
        append_only("governance_auditevent"),
        append_only("governance_ledgerentry"),
        published("governance_policyversion"),
        published("governance_checklistversion"),
    ]
