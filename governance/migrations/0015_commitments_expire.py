"""An entry of the kind `expire` may give back the commitment of a request, as a release does; the triggers know it."""

from django.db import migrations, models

NOW = """
CREATE OR REPLACE FUNCTION weighbridge_allocated(account bigint) RETURNS numeric LANGUAGE sql STABLE AS $$
  SELECT coalesce(sum(CASE kind WHEN 'expire' THEN -amount ELSE amount END), 0)
    FROM governance_ledgerentry WHERE account_id = account AND kind IN ('allocate', 'transfer', 'expire')
      AND NOT is_commitment
$$;

CREATE OR REPLACE FUNCTION weighbridge_available(account bigint) RETURNS numeric LANGUAGE sql STABLE AS $$
  WITH held AS (
    SELECT request_ref,
      coalesce(sum(CASE WHEN kind = 'reserve' THEN amount WHEN kind = 'release' AND NOT is_commitment THEN -amount END), 0)
        AS reserved,
      coalesce(sum(CASE WHEN kind = 'commit' THEN amount WHEN kind IN ('release', 'expire') AND is_commitment THEN -amount END), 0)
        AS committed,
      coalesce(sum(CASE WHEN kind IN ('actual', 'accrual', 'correction') THEN amount END), 0) AS spent
    FROM governance_ledgerentry WHERE account_id = account GROUP BY request_ref
  )
  SELECT weighbridge_allocated(account) - weighbridge_handed_out(account)
    - coalesce((SELECT sum(reserved + spent + least(greatest(committed - spent, 0), committed)) FROM held), 0)
$$;

CREATE OR REPLACE FUNCTION weighbridge_hold_budget() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  above bigint;
  own_mode text;
  above_mode text;
BEGIN
  SELECT mode INTO own_mode FROM governance_budgetaccount WHERE id = NEW.account_id FOR UPDATE;
  IF NEW.kind IN ('allocate', 'transfer', 'expire') AND NOT NEW.is_commitment THEN
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
  IF own_mode = 'enforce' AND NOT NEW.is_commitment AND weighbridge_available(NEW.account_id) < 0
     AND (NEW.kind IN ('reserve', 'commit', 'expire') OR (NEW.kind IN ('allocate', 'transfer') AND NEW.amount < 0)) THEN
    RAISE EXCEPTION 'a budget account that enforces is overspent' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;
"""
BEFORE = """
CREATE OR REPLACE FUNCTION weighbridge_allocated(account bigint) RETURNS numeric LANGUAGE sql STABLE AS $$
  SELECT coalesce(sum(CASE kind WHEN 'expire' THEN -amount ELSE amount END), 0)
    FROM governance_ledgerentry WHERE account_id = account AND kind IN ('allocate', 'transfer', 'expire')
$$;

CREATE OR REPLACE FUNCTION weighbridge_available(account bigint) RETURNS numeric LANGUAGE sql STABLE AS $$
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

CREATE OR REPLACE FUNCTION weighbridge_hold_budget() RETURNS trigger LANGUAGE plpgsql AS $$
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
"""


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0014_rules_name_their_request'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='ledgerentry',
            name='releases_give_back',
        ),
        migrations.RemoveConstraint(
            model_name='ledgerentry',
            name='bookings_name_their_request',
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('is_commitment', False), ('kind__in', ['expire', 'release']), _connector='OR'), name='releases_give_back'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['accrual', 'actual', 'correction']), models.Q(('is_commitment', False), ('kind__in', ['allocate', 'expire', 'transfer']), ('request_ref', '')), models.Q(models.Q(models.Q(('kind__in', ['allocate', 'expire', 'transfer']), _negated=True), ('is_commitment', True), _connector='OR'), models.Q(('request_ref', ''), _negated=True)), _connector='OR'), name='bookings_name_their_request'),
        ),
        migrations.RunSQL(NOW, BEFORE),
    ]
