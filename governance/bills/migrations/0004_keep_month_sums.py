"""The sums of bill lines by month of use, which triggers keep.

A trigger adds what a statement changed, from the rows that it did change: two transactions that change lines of the
same slice wait for each other at the lines, so that their differences add up.
"""

from django.db import migrations

AMOUNTS = ("billed", "effective", "gpu_hours", "server_hours")
KEYS = "slice_id, month, rule_id, currency"
MONTH = "date_trunc('month', day)::date"
ADD = """
    INSERT INTO bills_monthsum AS total ({keys}, lines, {amounts})
    SELECT slice_id, {month}, rule_id, currency, sum(sign), {sums}
    FROM ({{changed}}) AS changed
    GROUP BY 1, 2, 3, 4
    HAVING sum(sign) <> 0 OR {differs}
    ORDER BY 1, 2, 3, 4
    ON CONFLICT ({keys}) DO UPDATE SET lines = total.lines + EXCLUDED.lines, {added};
""".format(
    keys=KEYS,
    month=MONTH,
    amounts=", ".join(AMOUNTS),
    sums=", ".join(f"sum(sign * {name})" for name in AMOUNTS),
    differs=" OR ".join(f"sum(sign * {name}) <> 0" for name in AMOUNTS),
    added=", ".join(f"{name} = total.{name} + EXCLUDED.{name}" for name in AMOUNTS),
)
COLUMNS = f"slice_id, day, rule_id, currency, {', '.join(AMOUNTS)}"
ADDED, REMOVED = f"SELECT 1 AS sign, {COLUMNS} FROM added", f"SELECT -1 AS sign, {COLUMNS} FROM removed"
FORGET_EMPTY = "DELETE FROM bills_monthsum WHERE lines = 0 AND slice_id IN (SELECT DISTINCT slice_id FROM removed);"
SUMS = f"""
CREATE FUNCTION bills_add_sums() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN{ADD.format(changed=ADDED)}
  ELSIF TG_OP = 'DELETE' THEN{ADD.format(changed=REMOVED)}
    {FORGET_EMPTY}
  ELSE{ADD.format(changed=f"{ADDED} UNION ALL {REMOVED}")}
    {FORGET_EMPTY}
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION bills_sum_all() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  -- Whoever writes lines is waited for, and waits: what is not committed yet would never be summed.
  LOCK TABLE bills_spendline IN SHARE ROW EXCLUSIVE MODE;
  DELETE FROM bills_monthsum;
  {ADD.format(changed=f"SELECT 1 AS sign, {COLUMNS} FROM bills_spendline")}
END $$;

CREATE FUNCTION bills_forget_sums() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM bills_monthsum;
  RETURN NULL;
END $$;

SELECT bills_sum_all();

CREATE TRIGGER sums_of_added AFTER INSERT ON bills_spendline REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION bills_add_sums();
CREATE TRIGGER sums_of_removed AFTER DELETE ON bills_spendline REFERENCING OLD TABLE AS removed
  FOR EACH STATEMENT EXECUTE FUNCTION bills_add_sums();
CREATE TRIGGER sums_of_changed AFTER UPDATE ON bills_spendline REFERENCING OLD TABLE AS removed NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION bills_add_sums();
CREATE TRIGGER sums_of_none AFTER TRUNCATE ON bills_spendline
  FOR EACH STATEMENT EXECUTE FUNCTION bills_forget_sums();
"""
FORGET = """
DROP TRIGGER sums_of_added ON bills_spendline;
DROP TRIGGER sums_of_removed ON bills_spendline;
DROP TRIGGER sums_of_changed ON bills_spendline;
DROP TRIGGER sums_of_none ON bills_spendline;
DROP FUNCTION bills_add_sums();
DROP FUNCTION bills_forget_sums();
DROP FUNCTION bills_sum_all();
"""


class Migration(migrations.Migration):

    dependencies = [
        ('bills', '0003_month_sums'),
    ]

    operations = [
        migrations.RunSQL(SUMS, FORGET),
    ]
