"""An approval plans in quarters to come, on accounts that may have been given nothing yet; the triggers know both."""

from django.db import migrations, models

NOW = """
CREATE FUNCTION weighbridge_is_given(account bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM governance_ledgerentry WHERE account_id = account AND kind IN ('allocate', 'transfer'))
$$;

-- The account of the nearest cost centre above that has one for the same quarter and unit.
CREATE OR REPLACE FUNCTION weighbridge_account_above(account bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
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
     AND weighbridge_is_given(above.id)
    ORDER BY up.depth LIMIT 1
$$;

-- What the accounts right below were given: the first on each way down the tree.
CREATE OR REPLACE FUNCTION weighbridge_handed_out(account bigint) RETURNS numeric LANGUAGE sql STABLE AS $$
  WITH RECURSIVE own AS (SELECT * FROM governance_budgetaccount WHERE id = account),
  down(centre, found) AS (
    SELECT centre.id, below.id FROM own
      JOIN governance_costcentre AS centre ON centre.parent_id = own.centre_id
      LEFT JOIN governance_budgetaccount AS below
        ON below.centre_id = centre.id AND below.quarter = own.quarter AND below.unit = own.unit
       AND weighbridge_is_given(below.id)
    UNION ALL
    SELECT centre.id, below.id FROM down
      JOIN own ON true
      JOIN governance_costcentre AS centre ON centre.parent_id = down.centre AND down.found IS NULL
      LEFT JOIN governance_budgetaccount AS below
        ON below.centre_id = centre.id AND below.quarter = own.quarter AND below.unit = own.unit
       AND weighbridge_is_given(below.id)
  )
  SELECT coalesce(sum(weighbridge_allocated(found)), 0) FROM down WHERE found IS NOT NULL
$$;

CREATE OR REPLACE FUNCTION weighbridge_available(account bigint) RETURNS numeric LANGUAGE sql STABLE AS $$
  WITH held AS (
    SELECT request_ref,
      coalesce(sum(CASE WHEN kind = 'reserve' THEN amount WHEN kind = 'release' AND NOT is_commitment THEN -amount END), 0)
        AS reserved,
      coalesce(sum(CASE WHEN kind IN ('commit', 'plan') THEN amount WHEN kind IN ('release', 'expire') AND is_commitment THEN -amount END), 0)
        AS committed,
      coalesce(sum(CASE WHEN kind IN ('actual', 'accrual', 'correction') THEN amount END), 0) AS spent
    FROM governance_ledgerentry WHERE account_id = account GROUP BY request_ref
  )
  SELECT weighbridge_allocated(account) - weighbridge_handed_out(account)
    - coalesce((SELECT sum(reserved + spent + least(greatest(committed - spent, 0), committed)) FROM held), 0)
$$;
"""
BEFORE = """
-- What was planned is a commitment to the release before; nothing is lost.
ALTER TABLE governance_ledgerentry DISABLE TRIGGER append_only;
UPDATE governance_ledgerentry SET kind = 'commit' WHERE kind = 'plan';
ALTER TABLE governance_ledgerentry ENABLE TRIGGER append_only;

-- The account of the nearest cost centre above that has one for the same quarter and unit.
CREATE OR REPLACE FUNCTION weighbridge_account_above(account bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
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
CREATE OR REPLACE FUNCTION weighbridge_handed_out(account bigint) RETURNS numeric LANGUAGE sql STABLE AS $$
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
DROP FUNCTION weighbridge_is_given(bigint);
"""


class Migration(migrations.Migration):

    dependencies = [
        ('governance', '0017_findings_may_settle'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='ledgerentry',
            name='known_kind',
        ),
        migrations.AlterField(
            model_name='ledgerentry',
            name='kind',
            field=models.CharField(choices=[('allocate', 'allocate'), ('transfer', 'transfer'), ('reserve', 'reserve'), ('commit', 'commit'), ('plan', 'plan'), ('release', 'release'), ('actual', 'actual'), ('accrual', 'accrual'), ('correction', 'correction'), ('expire', 'expire')], max_length=10),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['allocate', 'transfer', 'reserve', 'commit', 'plan', 'release', 'actual', 'accrual', 'correction', 'expire'])), name='known_kind'),
        ),
        migrations.RunSQL(NOW, BEFORE),
    ]
