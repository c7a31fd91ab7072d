"""Reads of spend by team, model and month, in US dollars where there is an exchange rate. They read the sums of months,
never the lines.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Any

from django.db import connection
from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum

from governance.bills.domain.currencies import Amount, Converted, CurrencyRate, convert
from governance.bills.enums import BillOrigin
from governance.bills.models import AllocationRule, ExchangeRate, MonthSum
from governance.bills.rules import may_see_bills
from governance.exports.domain.tables import ExportTable
from governance.inventory.models import ModelAsset
from governance.people.domain.roles import Person

WHOSE = {
    "team": "team__slug",
    "team_name": "team__name",
    "model_team": "asset__team__slug",
    "model": "asset__slug",
    "model_name": "asset__name",
}
COLUMNS = ("Month", "Team", "Model", "Effective USD", "Billed USD", "GPU hours", "Not converted", "Basis")
GENERATED = Q(slice__bill__origin=BillOrigin.GENERATED)
HOURS = {"of_gpus": Sum("gpu_hours"), "of_servers": Sum("server_hours")}
ALL_MONTHS = """
WITH RECURSIVE found AS (
  (SELECT month FROM bills_monthsum ORDER BY month LIMIT 1)
  UNION ALL
  SELECT (SELECT month FROM bills_monthsum WHERE month > found.month ORDER BY month LIMIT 1)
  FROM found WHERE found.month IS NOT NULL
)
SELECT month FROM found WHERE month IS NOT NULL
"""
"""Reads one sum of each month, where DISTINCT reads all."""


@dataclass(frozen=True)
class ModelSpend:
    """The cost of a team's model in a month of consumption; `team` is empty for unallocated lines.

    `effective` is amortized (for comparison with projections), `billed` is cash, both in US dollars. `apart` is the
    effective cost without an exchange rate, by currency. `is_generated` means that a part was generated and is not from
    a provider's bill.
    """

    month: date
    team: str
    team_name: str
    model_team: str
    model: str
    model_name: str
    effective: Decimal
    billed: Decimal
    gpu_hours: Decimal
    apart: Mapping[str, Decimal]
    is_generated: bool

    @property
    def is_allocated(self) -> bool:
        """Whether the spend is allocated to a team."""
        return bool(self.team)


@dataclass(frozen=True)
class MonthSpend:
    """The totals of a month."""

    month: date
    effective: Decimal
    billed: Decimal
    unallocated: Decimal
    gpu_hours: Decimal
    apart: Mapping[str, Decimal]
    is_generated: bool


def spend(*, person: Person | None, months: Iterable[date] | None = None) -> list[ModelSpend]:
    """Spend by month, team and model, latest month and highest cost first; of all months, or of these first days.

    People who may not see complete bills see only the spend of their teams; `person` None is the system and sees all.
    """
    sums = _visible_to(person)
    if months is not None:
        sums = sums.filter(month__in=set(months))
    amounts = {"effective": Sum("effective"), "billed": Sum("billed"), "hours": Sum("gpu_hours")}
    by_rule = sums.order_by().values("month", "rule", "currency")
    rows: list[Mapping[str, Any]] = list(by_rule.annotate(**amounts, generated=Count("pk", filter=GENERATED)))
    owners = _owners({row["rule"] for row in rows})
    grouped: dict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        grouped[(row["month"], *owners[row["rule"]])].append(row)
    rates = all_rates()
    found = [_spend(key, parts, rates) for key, parts in grouped.items()]
    return sorted(
        found, key=lambda row: (-row.month.toordinal(), not row.is_allocated, -row.effective, row.team, row.model)
    )


@dataclass(frozen=True)
class ModelMonth:
    """The billed amounts of a model in a month: for one request (`is_named`), or for the model without a request."""

    month: date
    is_named: bool
    effective: Decimal
    gpu_hours: Decimal
    server_hours: Decimal
    apart: Mapping[str, Decimal]
    is_generated: bool


def of_model(*, asset: ModelAsset, request_refs: Iterable[str]) -> list[ModelMonth]:
    """Amounts that rules allocate to one of the requests, or to the model without a request, earliest month first."""
    named = Q(rule__request_ref__in=request_refs)
    sums = MonthSum.objects.filter(named | Q(rule__asset=asset, rule__request_ref=""))
    grouped: dict[tuple[date, bool], list[Mapping[str, Any]]] = defaultdict(list)
    for row in _by_month(sums, "rule__request_ref"):
        grouped[(row["month"], bool(row["rule__request_ref"]))].append(row)
    rates = all_rates()
    return [_model_month(key, rows, rates) for key, rows in sorted(grouped.items())]


def of_requests(assets: Mapping[str, int]) -> dict[str, list[ModelMonth]]:
    """The same for many requests at once, by request ref; `assets` maps each ref to the ID of its model."""
    named = Q(rule__request_ref__in=assets)
    sums = MonthSum.objects.filter(named | Q(rule__asset__in=set(assets.values()), rule__request_ref=""))
    grouped: dict[tuple[str | int, date], list[Mapping[str, Any]]] = defaultdict(list)
    for row in _by_month(sums, "rule__request_ref", "rule__asset_id"):
        grouped[(row["rule__request_ref"] or row["rule__asset_id"], row["month"])].append(row)
    rates = all_rates()
    months: dict[str | int, list[ModelMonth]] = defaultdict(list)
    for (whose, month), rows in grouped.items():
        months[whose].append(_model_month((month, isinstance(whose, str)), rows, rates))
    return {
        ref: sorted([*months[asset], *months[ref]], key=lambda row: (row.month, row.is_named))
        for ref, asset in assets.items()
    }


def rules_with_sums() -> QuerySet[AllocationRule]:
    """The rules to which a bill has lines."""
    return AllocationRule.objects.filter(Exists(MonthSum.objects.filter(rule=OuterRef("pk"))))


def months(rows: Iterable[ModelSpend]) -> list[MonthSpend]:
    """The totals of each month, latest first."""
    by_month: dict[date, list[ModelSpend]] = defaultdict(list)
    for row in rows:
        by_month[row.month].append(row)
    return [_month(month, by_month[month]) for month in sorted(by_month, reverse=True)]


def months_of_use(*, person: Person | None = None) -> list[date]:
    """The first days of the months of consumption with spend that the person may see, earliest first; None sees all."""
    if person is not None and not may_see_bills(person):
        return sorted(_visible_to(person).order_by().values_list("month", flat=True).distinct())
    with connection.cursor() as cursor:
        cursor.execute(ALL_MONTHS)
        return sorted(month for (month,) in cursor.fetchall())


def teams_billed_in(currency: str) -> frozenset[str]:
    """Slugs of the teams with current lines in this currency."""
    sums = MonthSum.objects.filter(currency=currency, rule__isnull=False).order_by()
    return frozenset(sums.values_list("rule__team__slug", flat=True).distinct())


def all_rates() -> list[CurrencyRate]:
    """All rates in the order in which they were set; the last one of a day counts."""
    rows = ExchangeRate.objects.order_by("pk")
    return [CurrencyRate(row.currency, row.on, row.usd, row.source) for row in rows]


def table(rows: Sequence[ModelSpend]) -> ExportTable:
    """Spend as a table."""
    plain = attrgetter("month", "team", "model", "effective", "billed", "gpu_hours")
    cells = ((*plain(row), unconverted_text(row.apart), basis_text(is_generated=row.is_generated)) for row in rows)
    return ExportTable("spend", COLUMNS, cells, len(rows))


def basis_text(*, is_generated: bool) -> str:
    """The basis of amounts: bills, or data generated for a demo or a test."""
    return BillOrigin.GENERATED.label if is_generated else "billed"


def added_apart(rows: Iterable[ModelSpend]) -> dict[str, Decimal]:
    """The effective cost of all rows without an exchange rate, by currency."""
    apart: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        for currency, amount in row.apart.items():
            apart[currency] += amount
    return dict(apart)


def unconverted_text(apart: Mapping[str, Decimal]) -> str:
    """Unconverted amounts as text: `12.50 EUR, 3 JPY`."""
    return ", ".join(f"{amount.normalize():f} {currency}" for currency, amount in sorted(apart.items()))


def _owners(rule_ids: Iterable[int | None]) -> dict[int | None, tuple[str, ...]]:
    """The team and the model of each rule, as in WHOSE; None is no rule. Summing by these names would be slow."""
    rows = AllocationRule.objects.filter(pk__in=[each for each in rule_ids if each is not None])
    owners = {pk: tuple(each or "" for each in names) for pk, *names in rows.values_list("pk", *WHOSE.values())}
    return {None: ("",) * len(WHOSE)} | owners


def _spend(key: tuple[Any, ...], rows: Sequence[Mapping[str, Any]], rates: Sequence[CurrencyRate]) -> ModelSpend:
    effective, billed = (_converted(rows, name, rates) for name in ("effective", "billed"))
    about: dict[str, Any] = dict(zip(("month", *WHOSE), key, strict=True))
    about |= {"effective": effective.usd, "billed": billed.usd, "apart": effective.apart}
    about["gpu_hours"] = sum((row["hours"] for row in rows), Decimal(0))
    return ModelSpend(**about, is_generated=_is_generated(rows))


def _visible_to(person: Person | None) -> QuerySet[MonthSum]:
    if person is None or may_see_bills(person):
        return MonthSum.objects.all()
    return MonthSum.objects.filter(rule__team__slug__in=person.teams)


def _by_month(sums: QuerySet[MonthSum], *whose: str) -> QuerySet[MonthSum, dict[str, Any]]:
    by_month = sums.order_by().values("month", *whose, "currency")
    rows: QuerySet[MonthSum, dict[str, Any]] = by_month.annotate(
        effective=Sum("effective"), **HOURS, generated=Count("pk", filter=GENERATED)
    )
    return rows


def _model_month(
    key: tuple[date, bool], rows: Sequence[Mapping[str, Any]], rates: Sequence[CurrencyRate]
) -> ModelMonth:
    effective = _converted(rows, "effective", rates)
    of_gpus, of_servers = (sum((row[name] for row in rows), Decimal(0)) for name in HOURS)
    return ModelMonth(*key, effective.usd, of_gpus, of_servers, effective.apart, is_generated=_is_generated(rows))


def _is_generated(rows: Iterable[Mapping[str, Any]]) -> bool:
    return any(row["generated"] for row in rows)


def _converted(rows: Sequence[Mapping[str, Any]], name: str, rates: Sequence[CurrencyRate]) -> Converted:
    return convert([Amount.of_month(row["currency"], row["month"], row[name]) for row in rows], rates)


def _month(month: date, rows: Sequence[ModelSpend]) -> MonthSpend:
    effective, billed, hours = (
        sum((getattr(row, name) for row in rows), Decimal(0)) for name in ("effective", "billed", "gpu_hours")
    )
    loose = sum((row.effective for row in rows if not row.is_allocated), Decimal(0))
    is_generated = any(row.is_generated for row in rows)
    return MonthSpend(month, effective, billed, loose, hours, added_apart(rows), is_generated)
