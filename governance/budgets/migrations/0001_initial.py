"""Tables of budgets, and the rules that the database holds."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

RULES = """
CREATE FUNCTION weighbridge_allocated(account bigint)
 RETURNS numeric
 LANGUAGE sql
 STABLE
AS $$
  SELECT coalesce(sum(CASE kind WHEN 'expire' THEN -amount ELSE amount END), 0)
    FROM budgets_ledgerentry WHERE account_id = account AND kind IN ('allocate', 'transfer', 'expire')
      AND NOT is_commitment
$$;

CREATE FUNCTION weighbridge_is_given(account bigint)
 RETURNS boolean
 LANGUAGE sql
 STABLE
AS $$
  SELECT EXISTS (SELECT 1 FROM budgets_ledgerentry WHERE account_id = account AND kind IN ('allocate', 'transfer'))
$$;

CREATE FUNCTION weighbridge_account_above(account bigint)
 RETURNS bigint
 LANGUAGE sql
 STABLE
AS $$
  WITH RECURSIVE own AS (SELECT * FROM budgets_budgetaccount WHERE id = account),
  up(center, depth) AS (
    SELECT center.parent_id, 1 FROM own JOIN budgets_costcenter AS center ON center.id = own.center_id
    UNION ALL
    SELECT center.parent_id, up.depth + 1 FROM up JOIN budgets_costcenter AS center ON center.id = up.center
  )
  SELECT above.id FROM up
    JOIN own ON true
    JOIN budgets_budgetaccount AS above
      ON above.center_id = up.center AND above.quarter = own.quarter AND above.unit = own.unit
     AND weighbridge_is_given(above.id)
    ORDER BY up.depth LIMIT 1
$$;

CREATE FUNCTION weighbridge_allocated_below(account bigint)
 RETURNS numeric
 LANGUAGE sql
 STABLE
AS $$
  WITH RECURSIVE own AS (SELECT * FROM budgets_budgetaccount WHERE id = account),
  down(center, found) AS (
    SELECT center.id, below.id FROM own
      JOIN budgets_costcenter AS center ON center.parent_id = own.center_id
      LEFT JOIN budgets_budgetaccount AS below
        ON below.center_id = center.id AND below.quarter = own.quarter AND below.unit = own.unit
       AND weighbridge_is_given(below.id)
    UNION ALL
    SELECT center.id, below.id FROM down
      JOIN own ON true
      JOIN budgets_costcenter AS center ON center.parent_id = down.center AND down.found IS NULL
      LEFT JOIN budgets_budgetaccount AS below
        ON below.center_id = center.id AND below.quarter = own.quarter AND below.unit = own.unit
       AND weighbridge_is_given(below.id)
  )
  SELECT coalesce(sum(weighbridge_allocated(found)), 0) FROM down WHERE found IS NOT NULL
$$;

CREATE FUNCTION weighbridge_available(account bigint)
 RETURNS numeric
 LANGUAGE sql
 STABLE
AS $$
  WITH months AS (
    SELECT request_ref,
      coalesce(sum(CASE WHEN kind = 'reserve' THEN amount WHEN kind = 'release' AND NOT is_commitment THEN -amount END), 0)
        AS reserved,
      coalesce(sum(CASE WHEN kind IN ('commit', 'plan') THEN amount WHEN kind IN ('release', 'expire') AND is_commitment THEN -amount END), 0)
        AS committed,
      greatest(coalesce(sum(CASE WHEN kind IN ('actual', 'accrual', 'correction') THEN amount END), 0), 0) AS spent
    FROM budgets_ledgerentry WHERE account_id = account GROUP BY request_ref, period
  ),
  held AS (
    SELECT sum(reserved) AS reserved, sum(committed) AS committed, sum(spent) AS spent
    FROM months GROUP BY request_ref
  )
  SELECT weighbridge_allocated(account) - weighbridge_allocated_below(account)
    - coalesce((SELECT sum(reserved + spent + greatest(committed - spent, 0)) FROM held), 0)
$$;

CREATE FUNCTION weighbridge_hold_budget()
 RETURNS trigger
 LANGUAGE plpgsql
AS $$
DECLARE
  above bigint;
  own_mode text;
  above_mode text;
BEGIN
  IF NEW.kind IN ('allocate', 'transfer') AND NEW.amount > 0 THEN
    PERFORM 1 FROM budgets_budgetaccount AS account
      JOIN budgets_costcenter AS center ON center.id = account.center_id
      WHERE account.id = NEW.account_id
        AND (EXISTS (SELECT 1 FROM people_rolegrant AS held
                     WHERE held.team_id = center.team_id AND held.user_id = NEW.booked_by_id)
             OR EXISTS (SELECT 1 FROM inventory_modelasset AS model
                        WHERE model.team_id = center.team_id AND model.owner_id = NEW.booked_by_id));
    IF FOUND THEN
      RAISE EXCEPTION 'nobody books money for their own team' USING ERRCODE = 'restrict_violation';
    END IF;
  END IF;
  SELECT mode INTO own_mode FROM budgets_budgetaccount WHERE id = NEW.account_id FOR UPDATE;
  IF NEW.kind IN ('allocate', 'transfer', 'expire') AND NOT NEW.is_commitment THEN
    above := weighbridge_account_above(NEW.account_id);
    SELECT mode INTO above_mode FROM budgets_budgetaccount WHERE id = above FOR UPDATE;
    IF weighbridge_allocated(NEW.account_id) < weighbridge_allocated_below(NEW.account_id) THEN
      RAISE EXCEPTION 'a budget account holds less than the accounts below it were given'
        USING ERRCODE = 'restrict_violation';
    END IF;
    IF above IS NOT NULL AND NEW.kind <> 'expire' AND NEW.amount > 0
       AND (weighbridge_allocated(above) < weighbridge_allocated_below(above)
            OR (above_mode = 'enforce' AND weighbridge_available(above) < 0)) THEN
      RAISE EXCEPTION 'a budget account delegates more than it holds' USING ERRCODE = 'restrict_violation';
    END IF;
  END IF;
  IF own_mode = 'enforce' AND NOT NEW.is_commitment AND weighbridge_available(NEW.account_id) < 0
     AND (NEW.kind IN ('reserve', 'commit', 'expire') OR (NEW.kind IN ('allocate', 'transfer') AND NEW.amount < 0)) THEN
    RAISE EXCEPTION 'a budget account that enforces is overspent' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION weighbridge_loosen_by_two()
 RETURNS trigger
 LANGUAGE plpgsql
AS $$
DECLARE
  modes constant text[] := ARRAY['off', 'observe', 'enforce'];
BEGIN
  IF array_position(modes, NEW.mode::text) >= array_position(modes, OLD.mode::text) THEN
    RETURN NEW;
  END IF;
  PERFORM 1 FROM approvals_change AS change
    WHERE change.kind = 'budget' AND change.part = 'terms' AND change.state = 'confirmed'
      AND change.subject_id = NEW.id AND change.details ->> 'mode' = NEW.mode;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'two people loosen the mode of a budget: one proposes, another confirms'
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE FUNCTION weighbridge_hang_rightly()
 RETURNS trigger
 LANGUAGE plpgsql
AS $$
DECLARE
  above budgets_costcenter%ROWTYPE;
BEGIN
  IF NEW.parent_id IS NULL THEN
    RETURN NEW;
  END IF;
  SELECT * INTO above FROM budgets_costcenter WHERE id = NEW.parent_id;
  IF NOT (CASE NEW.level WHEN 'unit' THEN above.level = 'organization'
                         WHEN 'team' THEN above.level IN ('organization', 'unit')
                         WHEN 'project' THEN above.level = 'team' AND above.team_id = NEW.team_id
                         ELSE false END) THEN
    RAISE EXCEPTION 'a cost center of the level % does not hang under one of the level %', NEW.level, above.level
      USING ERRCODE = 'restrict_violation';
  END IF;
  IF TG_OP = 'UPDATE' AND (NEW.level, NEW.slug, NEW.team_id) IS DISTINCT FROM (OLD.level, OLD.slug, OLD.team_id) THEN
    RAISE EXCEPTION 'a cost center keeps its level, its slug and its team' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER append_only BEFORE DELETE OR UPDATE ON budgets_ledgerentry
  FOR EACH ROW EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON budgets_ledgerentry
  FOR EACH STATEMENT EXECUTE FUNCTION weighbridge_refuse();
CREATE TRIGGER holds_the_budget AFTER INSERT ON budgets_ledgerentry
  FOR EACH ROW EXECUTE FUNCTION weighbridge_hold_budget();
CREATE TRIGGER loosened_by_two BEFORE UPDATE ON budgets_budgetaccount
  FOR EACH ROW EXECUTE FUNCTION weighbridge_loosen_by_two();
CREATE TRIGGER hangs_rightly BEFORE INSERT OR UPDATE ON budgets_costcenter
  FOR EACH ROW EXECUTE FUNCTION weighbridge_hang_rightly();
"""
FORGET = """
DROP TRIGGER append_only ON budgets_ledgerentry;
DROP TRIGGER append_only_truncate ON budgets_ledgerentry;
DROP TRIGGER holds_the_budget ON budgets_ledgerentry;
DROP TRIGGER hangs_rightly ON budgets_costcenter;
DROP TRIGGER loosened_by_two ON budgets_budgetaccount;
DROP FUNCTION weighbridge_loosen_by_two();
DROP FUNCTION weighbridge_hang_rightly();
DROP FUNCTION weighbridge_hold_budget();
DROP FUNCTION weighbridge_available(account bigint);
DROP FUNCTION weighbridge_allocated_below(account bigint);
DROP FUNCTION weighbridge_account_above(account bigint);
DROP FUNCTION weighbridge_is_given(account bigint);
DROP FUNCTION weighbridge_allocated(account bigint);
"""


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('audit', '0001_initial'),
        ('people', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CostCenter',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('level', models.CharField(choices=[('organization', 'organization'), ('unit', 'unit'), ('team', 'team'), ('project', 'project')], max_length=12)),
                ('slug', models.SlugField(max_length=60, unique=True)),
                ('name', models.CharField(max_length=120)),
                ('parent', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='budgets.costcenter')),
                ('team', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='cost_centers', to='people.team')),
            ],
        ),
        migrations.CreateModel(
            name='BudgetAccount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('quarter', models.CharField(max_length=6)),
                ('unit', models.CharField(choices=[('USD', 'USD'), ('gpu_h', 'GPU hours')], max_length=6)),
                ('mode', models.CharField(choices=[('off', 'off'), ('observe', 'observe'), ('enforce', 'enforce')], db_default='enforce', default='enforce', max_length=7)),
                ('tolerance_percent', models.PositiveSmallIntegerField(db_default=10, default=10)),
                ('closed_at', models.DateTimeField(null=True)),
                ('center', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='accounts', to='budgets.costcenter')),
            ],
        ),
        migrations.CreateModel(
            name='LedgerEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('allocate', 'allocate'), ('transfer', 'transfer'), ('reserve', 'reserve'), ('commit', 'commit'), ('plan', 'plan'), ('release', 'release'), ('actual', 'actual'), ('accrual', 'accrual'), ('correction', 'correction'), ('expire', 'expire')], max_length=10)),
                ('amount', models.DecimalField(decimal_places=2, max_digits=16)),
                ('request_ref', models.CharField(blank=True, max_length=20)),
                ('is_commitment', models.BooleanField(db_default=False, default=False)),
                ('period', models.CharField(blank=True, db_default='', default='', max_length=7)),
                ('key', models.CharField(max_length=120, unique=True)),
                ('note', models.CharField(blank=True, max_length=200)),
                ('booked_at', models.DateTimeField()),
                ('account', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='entries', to='budgets.budgetaccount')),
                ('booked_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddConstraint(
            model_name='costcenter',
            constraint=models.CheckConstraint(condition=models.Q(('level__in', ['organization', 'unit', 'team', 'project'])), name='known_level'),
        ),
        migrations.AddConstraint(
            model_name='costcenter',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('level', 'organization'), ('parent__isnull', True)), models.Q(models.Q(('level', 'organization'), _negated=True), ('parent__isnull', False)), _connector='OR'), name='only_the_root_has_no_parent'),
        ),
        migrations.AddConstraint(
            model_name='costcenter',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('level__in', ['team', 'project']), ('team__isnull', False)), models.Q(models.Q(('level__in', ['team', 'project']), _negated=True), ('team__isnull', True)), _connector='OR'), name='teams_and_projects_have_a_team'),
        ),
        migrations.AddConstraint(
            model_name='costcenter',
            constraint=models.UniqueConstraint(condition=models.Q(('level', 'organization')), fields=('level',), name='one_root'),
        ),
        migrations.AddConstraint(
            model_name='costcenter',
            constraint=models.UniqueConstraint(condition=models.Q(('level', 'team')), fields=('team',), name='one_center_of_a_team'),
        ),
        migrations.AddConstraint(
            model_name='budgetaccount',
            constraint=models.UniqueConstraint(fields=('center', 'quarter', 'unit'), name='one_account'),
        ),
        migrations.AddConstraint(
            model_name='budgetaccount',
            constraint=models.CheckConstraint(condition=models.Q(('quarter__regex', '^\\d{4}Q[1-4]$')), name='quarter_is_written_2026Q4'),
        ),
        migrations.AddConstraint(
            model_name='budgetaccount',
            constraint=models.CheckConstraint(condition=models.Q(('unit__in', ['USD', 'gpu_h'])), name='known_unit'),
        ),
        migrations.AddConstraint(
            model_name='budgetaccount',
            constraint=models.CheckConstraint(condition=models.Q(('mode__in', ['off', 'observe', 'enforce'])), name='known_mode'),
        ),
        migrations.AddConstraint(
            model_name='budgetaccount',
            constraint=models.CheckConstraint(condition=models.Q(('tolerance_percent__lte', 100)), name='tolerance_is_a_share'),
        ),
        migrations.AddIndex(
            model_name='ledgerentry',
            index=models.Index(fields=['account', 'request_ref'], name='budgets_led_account_11d250_idx'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0), ('kind__in', ['accrual', 'actual', 'correction']), models.Q(('kind__in', ['allocate', 'transfer']), models.Q(('amount', 0), _negated=True)), _connector='OR'), name='amount_suits_kind'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['allocate', 'transfer', 'reserve', 'commit', 'plan', 'release', 'actual', 'accrual', 'correction', 'expire'])), name='known_kind'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ['accrual', 'actual', 'correction']), ('period__regex', '^\\d{4}-(0[1-9]|1[0-2])$')), models.Q(models.Q(('kind__in', ['accrual', 'actual', 'correction']), _negated=True), ('period', '')), _connector='OR'), name='what_is_billed_has_a_month'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('is_commitment', False), ('kind__in', ['expire', 'release']), _connector='OR'), name='releases_give_back'),
        ),
        migrations.AddConstraint(
            model_name='ledgerentry',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['accrual', 'actual', 'correction']), models.Q(('is_commitment', False), ('kind__in', ['allocate', 'expire', 'transfer']), ('request_ref', '')), models.Q(models.Q(models.Q(('kind__in', ['allocate', 'expire', 'transfer']), _negated=True), ('is_commitment', True), _connector='OR'), models.Q(('request_ref', ''), _negated=True)), _connector='OR'), name='bookings_name_their_request'),
        ),
        migrations.RunSQL(RULES, FORGET),
    ]
