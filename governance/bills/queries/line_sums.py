"""The sums of bill lines in one pass: of each currency, of a page of values, and of the teams that have them.

A bill can have hundreds of thousands of lines. The database reads them once, into sums by currency, value and rule, and
adds up these. Files read the sums of all values through the ORM instead, row by row; a property test compares both.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Count, Sum

from governance.bills.domain.allocation.breakdown import TAGS, TEAM, CurrencyTotal, Owner
from governance.bills.queries.allocation import Lines
from weighbridge.core.documents import is_storable

TOTAL, VALUE, OWNER = "total", "value", "owner"
ROOM = "SELECT set_config('work_mem', '64MB', true), set_config('jit', 'off', true)"
"""For this transaction: without it, sums of many values are sorted on disk, and compiling takes longer than adding."""
SUMS = """
WITH sums AS MATERIALIZED ({lines}),
totals AS (
  SELECT currency, SUM(lines)::bigint AS lines, COALESCE(SUM(lines) FILTER (WHERE rule_id IS NULL), 0)::bigint AS loose,
    SUM(cost) AS cost, COALESCE(SUM(cost) FILTER (WHERE rule_id IS NOT NULL), 0) AS allocated, SUM(hours) AS hours
  FROM sums GROUP BY currency
),
chosen AS (SELECT currency FROM totals ORDER BY currency = %s DESC, lines DESC, currency LIMIT 1),
teams AS (
  SELECT id, slug,
    CASE WHEN COUNT(*) OVER (PARTITION BY name) = 1 THEN name ELSE name || ' (' || slug || ')' END AS name
  FROM people_team
),
parts AS (
  SELECT {value} AS value, team.name AS team, sums.rule_id, lines, cost, hours
  FROM sums JOIN chosen USING (currency)
    LEFT JOIN bills_allocationrule rule ON rule.id = sums.rule_id LEFT JOIN teams team ON team.id = rule.team_id
),
page AS (
  SELECT value, SUM(lines)::bigint AS lines, COALESCE(SUM(lines) FILTER (WHERE rule_id IS NULL), 0)::bigint AS loose,
    SUM(cost) AS cost, COALESCE(SUM(cost) FILTER (WHERE rule_id IS NOT NULL), 0) AS allocated, SUM(hours) AS hours
  FROM parts GROUP BY value ORDER BY ABS(SUM(cost)) DESC, SUM(hours) DESC, value LIMIT %s OFFSET %s
)
SELECT '{total}', currency, NULL, lines, loose, cost, allocated, hours,
  ROW_NUMBER() OVER (ORDER BY lines DESC, currency)
FROM totals
UNION ALL
SELECT '{page}', value, NULL, lines, loose, cost, allocated, hours,
  ROW_NUMBER() OVER (ORDER BY ABS(cost) DESC, hours DESC, value)
FROM page
UNION ALL
SELECT '{owner}', value, parts.team, NULL, NULL, SUM(parts.cost), NULL, NULL,
  ROW_NUMBER() OVER (ORDER BY SUM(parts.cost) DESC, parts.team)
FROM parts JOIN page USING (value) WHERE rule_id IS NOT NULL GROUP BY value, parts.team
ORDER BY 9
"""
VALUES = {TEAM: "COALESCE(team.slug, '')", TAGS: "jsonb_object_keys(sums.value)"}


@dataclass(frozen=True)
class ValueSum:
    """The lines with one value, and the cost of each team among them."""

    value: str
    owners: tuple[Owner, ...]
    lines: int
    lines_unallocated: int
    cost: Decimal
    allocated: Decimal
    gpu_hours: Decimal


@dataclass(frozen=True)
class LineSums:
    """The totals of each currency, the one with the most lines first, and a page of values in one of them."""

    totals: tuple[CurrencyTotal, ...] = ()
    values: tuple[ValueSum, ...] = ()


def sums_of(lines: Lines, *, by: str, value: Any, currency: str, start: int, count: int) -> LineSums:
    """At most `count` values from the `start`-th on, the highest amounts first, whether costs or credits;
    without cost, by GPU hours.

    `value` is the column of the values: for tags, the tags of a line. Values are in the currency, or in the one with
    the most lines if no line has it.
    """
    whose = ("currency", "value", "rule_id")
    amounts = {"lines": Count("*"), "cost": Sum("effective"), "hours": Sum("gpu_hours")}
    sums = lines.order_by().annotate(value=value).values(*whose).annotate(**amounts)
    try:
        query, parameters = sums.query.sql_with_params()
    except EmptyResultSet:
        return LineSums()
    kinds = {"total": TOTAL, "page": VALUE, "owner": OWNER}
    statement = SUMS.format(lines=query, value=VALUES.get(by, "sums.value"), **kinds)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(ROOM)
        cursor.execute(statement, [*parameters, currency if is_storable(currency) else "", count, start])
        return _read(cursor.fetchall())


def _read(rows: Sequence[tuple[Any, ...]]) -> LineSums:
    owners: dict[str, list[Owner]] = defaultdict(list)
    for _, value, team, _, _, cost, *_ in (row for row in rows if row[0] == OWNER):
        owners[value].append(Owner(team, cost))
    sums = [(kind, value, amounts) for kind, value, _, *amounts, _ in rows]
    totals = tuple(CurrencyTotal(value, *amounts) for kind, value, amounts in sums if kind == TOTAL)
    values = [(value, amounts) for kind, value, amounts in sums if kind == VALUE]
    return LineSums(totals, tuple(ValueSum(value, tuple(owners[value]), *amounts) for value, amounts in values))
