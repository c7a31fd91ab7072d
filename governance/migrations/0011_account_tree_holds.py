"""Triggers: what an account hands out never exceeds what it was given; an enforcing account is never overspent; no cycles."""

from django.db import migrations

SUMS = """
CREATE FUNCTION weighbridge_allocated(account bigint) RETURNS numeric LANGUAGE sql STABLE AS $$
  SELECT coalesce(sum(CASE kind WHEN 'expire' THEN -amount ELSE amount END), 0)
    FROM governance_ledgerentry WHERE account_id = account AND kind IN ('allocate', 'transfer', 'expire')
$$;

-- The account of the nearest cost centre above that has one for the same quarter and unit.
CREATE FUNCTION weighbridge_account_above(account bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
  WITH RECURSIVE own AS (SELECT * FROM governance_budgetaccount WHERE id = account),
  up(centre, depth) AS (
    SELECT centre.parent_id, 1 FROM own JOIN governance_costcentre AS centre ON centre.id = own.centre_id
    UNION ALL
    SELECT centre.parent_id, up.depth + 1 FROM up JOIN governance_costcentre AS centre ON centre.id = up.centre
  )
  SELECT above.id FROM up
    JOIN own ON true
    JOIN governance_budgetaccount AS above
      ON above.centre_id = up.centre AND above.quarter = own.quarter AND above.unit = own.unit
    ORDER BY up.depth LIMIT 1
$$;

-- What the accounts right below were given: the first on each way down the tree.
CREATE FUNCTION weighbridge_handed_out(account bigint) RETURNS numeric LANGUAGE sql STABLE AS $$
  WITH RECURSIVE own AS (SELECT * FROM governance_budgetaccount WHERE id = account),
  down(centre, found) AS (
    SELECT centre.id, below.id FROM own
      JOIN governance_costcentre AS centre ON centre.parent_id = own.centre_id
      LEFT JOIN governance_budgetaccount AS below
        ON below.centre_id = centre.id AND below.quarter = own.quarter AND below.unit = own.unit
    UNION ALL
    SELECT centre.id, below.id FROM down
      JOIN own ON true
      JOIN governance_costcentre AS centre ON centre.parent_id = down.centre AND down.found IS NULL
      LEFT JOIN governance_budgetaccount AS below
        ON below.centre_id = centre.id AND below.quarter = own.quarter AND below.unit = own.unit
  )
  SELECT coalesce(sum(weighbridge_allocated(found)), 0) FROM down WHERE found IS NOT NULL
$$;

CREATE FUNCTION weighbridge_available(account bigint) RETURNS numeric LANGUAGE sql STABLE AS $$
  WITH held AS (
    SELECT request_ref,
      coalesce(sum(CASE WHEN kind = 'reserve' THEN amount WHEN kind = 'release' AND NOT is_commitment THEN -amount END), 0)
        AS reserved,
      coalesce(sum(CASE WHEN kind = 'commit' THEN amount WHEN kind = 'release' AND is_commitment THEN -amount END), 0)
        AS committed,
      coalesce(sum(CASE WHEN kind IN ('actual', 'accrual', 'correction') THEN amount END), 0) AS spent
    FROM governance_ledgerentry WHERE account_id = account GROUP BY request_ref
  )
  SELECT weighbridge_allocated(account) - weighbridge_handed_out(account)
    - coalesce((SELECT sum(reserved + spent + least(greatest(committed - spent, 0), committed)) FROM held), 0)
$$;
"""

HOLD = """
CREATE FUNCTION weighbridge_hold_budget() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  above bigint;
  own_mode text;
  above_mode text;
BEGIN
  SELECT mode INTO own_mode FROM governance_budgetaccount WHERE id = NEW.account_id FOR UPDATE;
  IF NEW.kind IN ('allocate', 'transfer', 'expire') THEN
    above := weighbridge_account_above(NEW.account_id);
    SELECT mode INTO above_mode FROM governance_budgetaccount WHERE id = above FOR UPDATE;
    IF weighbridge_allocated(NEW.account_id) < weighbridge_handed_out(NEW.account_id) THEN
      RAISE EXCEPTION 'a budget account holds less than the accounts below it were given'
        USING ERRCODE = 'restrict_violation';
    END IF;
    IF above IS NOT NULL AND NEW.kind <> 'expire' AND NEW.amount > 0
       AND (weighbridge_allocated(above) < weighbridge_handed_out(above)
            OR (above_mode = 'enforce' AND weighbridge_available(above) < 0)) THEN
      RAISE EXCEPTION 'a budget account hands out more than it holds' USING ERRCODE = 'restrict_violation';
    END IF;
  END IF;
  IF own_mode = 'enforce' AND weighbridge_available(NEW.account_id) < 0
     AND (NEW.kind IN ('reserve', 'commit', 'expire') OR (NEW.kind IN ('allocate', 'transfer') AND NEW.amount < 0)) THEN
    RAISE EXCEPTION 'a budget account that enforces is overspent' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER holds_the_budget AFTER INSERT ON governance_ledgerentry
  FOR EACH ROW EXECUTE FUNCTION weighbridge_hold_budget();

CREATE FUNCTION weighbridge_hang_rightly() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  above governance_costcentre%ROWTYPE;
BEGIN
  IF NEW.parent_id IS NULL THEN
    RETURN NEW;
  END IF;
  SELECT * INTO above FROM governance_costcentre WHERE id = NEW.parent_id;
  IF NOT (CASE NEW.level WHEN 'unit' THEN above.level = 'organisation'
                         WHEN 'team' THEN above.level IN ('organisation', 'unit')
                         WHEN 'project' THEN above.level = 'team' AND above.team_id = NEW.team_id
                         ELSE false END) THEN
    RAISE EXCEPTION 'a cost centre of the level % does not hang under one of the level %', NEW.level, above.level
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF TG_OP = 'UPDATE' AND (NEW.level, NEW.slug, NEW.team_id) IS DISTINCT FROM (OLD.level, OLD.slug, OLD.team_id) THEN
    RAISE EXCEPTION 'a cost centre keeps its level, its slug and its team' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER hangs_rightly BEFORE INSERT OR UPDATE ON governance_costcentre
  FOR EACH ROW EXECUTE FUNCTION weighbridge_hang_rightly();

CREATE FUNCTION weighbridge_refuse_closed_finding() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.state = 'open' AND (NEW.id, NEW.kind, NEW.subject, NEW.text, NEW.key, NEW.opened_at)
     IS NOT DISTINCT FROM (OLD.id, OLD.kind, OLD.subject, OLD.text, OLD.key, OLD.opened_at) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a finding is closed once, and says for ever what was found: % is refused', TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER closed_once BEFORE UPDATE OR DELETE ON governance_finding
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse_closed_finding();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON governance_finding
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();

CREATE FUNCTION weighbridge_refuse_closed_budget_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.state = 'pending' AND NEW.state <> 'pending' AND
     (NEW.id, NEW.aspect, NEW.account_id, NEW.target_id, NEW.request_ref, NEW.amount, NEW.reason, NEW.proposed_by_id,
      NEW.proposed_at, NEW.expires_at) IS NOT DISTINCT FROM
     (OLD.id, OLD.aspect, OLD.account_id, OLD.target_id, OLD.request_ref, OLD.amount, OLD.reason, OLD.proposed_by_id,
      OLD.proposed_at, OLD.expires_at) THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a proposed change is closed once and never changes: % is refused', TG_OP
    USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER begins_open BEFORE INSERT ON governance_budgetchange
  FOR EACH ROW EXECUTE FUNCTION weighbridge_begin_open();
CREATE TRIGGER closed_once BEFORE UPDATE OR DELETE ON governance_budgetchange
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse_closed_budget_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON governance_budgetchange
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
"""
FORGET = """
DROP TRIGGER holds_the_budget ON governance_ledgerentry;
DROP TRIGGER hangs_rightly ON governance_costcentre;
DROP TRIGGER closed_once ON governance_finding;
DROP TRIGGER never_emptied ON governance_finding;
DROP TRIGGER begins_open ON governance_budgetchange;
DROP TRIGGER closed_once ON governance_budgetchange;
DROP TRIGGER never_emptied ON governance_budgetchange;
DROP FUNCTION weighbridge_hold_budget();
DROP FUNCTION weighbridge_hang_rightly();
DROP FUNCTION weighbridge_refuse_closed_finding();
DROP FUNCTION weighbridge_refuse_closed_budget_change();
DROP FUNCTION weighbridge_available(bigint);
DROP FUNCTION weighbridge_handed_out(bigint);
DROP FUNCTION weighbridge_account_above(bigint);
DROP FUNCTION weighbridge_allocated(bigint);
"""


class Migration(migrations.Migration):
    dependencies = [("governance", "0010_account_tree")]
    operations = [migrations.RunSQL(SUMS, "SELECT 1"), migrations.RunSQL(HOLD, FORGET)]
