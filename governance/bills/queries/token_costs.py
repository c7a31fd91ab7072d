"""Reads of the tokens of language models: by month, model and kind of tokens, in US dollars."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth

from governance.bills.domain.currencies import Amount, CurrencyRate, convert
from governance.bills.domain.quantities.token_rows import TokenRow
from governance.bills.models import SpendLine
from governance.bills.queries.allocation import Lines, used_in
from governance.bills.queries.spend import GENERATED, all_rates
from governance.inventory.models import ModelAsset

KIND = ("model", "snapshot", "direction", "cache_action", "subject")
OF_TOKENS = ~Q(model="", tokens=0)
ROWS_MAX = 200
_SUMS = {name: Sum(name) for name in ("tokens", "model_requests", "effective", "remainder")}


def rows_of_model(*, asset: ModelAsset, request_refs: Iterable[str], start: date, end: date) -> list[TokenRow]:
    """The rows of these days that rules allocate to one of the requests, or to the model without a request, earliest
    month first.
    """
    named = Q(rule__request_ref__in=request_refs)
    lines = used_in(start=start, end=end)
    return _rows(lines.filter(OF_TOKENS, named | Q(rule__asset=asset, rule__request_ref="")))


def rows_among(lines: Lines) -> list[TokenRow]:
    """The rows of tokens of these lines, allocated or not; at most 200, earliest month and highest cost first."""
    return _rows(lines.filter(OF_TOKENS))[:ROWS_MAX]


def _rows(lines: QuerySet[SpendLine]) -> list[TokenRow]:
    keys = ("rule__request_ref", *KIND, "currency", "meter")
    sums = lines.order_by().annotate(month=TruncMonth("day")).values("month", *keys)
    grouped: dict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
    for row in sums.annotate(**_SUMS, generated=Count("pk", filter=GENERATED)):
        grouped[(row["month"], bool(row["rule__request_ref"]), *(row[name] for name in KIND))].append(row)
    rates = all_rates()
    rows = [_row(key, parts, rates) for key, parts in grouped.items()]
    return sorted(rows, key=lambda row: (row.month, not row.is_matched, row.model, -row.effective, row.direction))


def _row(key: tuple[Any, ...], parts: Sequence[Mapping[str, Any]], rates: Sequence[CurrencyRate]) -> TokenRow:
    month, named, *kind = key
    about: dict[str, Any] = {"month": month, "is_named": named, **dict(zip(KIND, kind, strict=True))}
    effective, remainder = (
        convert([Amount.of_month(part["currency"], month, part[name]) for part in parts], rates)
        for name in ("effective", "remainder")
    )
    is_known = bool(kind[0] and kind[2])
    meters = () if is_known else tuple(sorted({part["meter"] for part in parts if part["meter"]}))
    return TokenRow(
        **about,
        tokens=sum((part["tokens"] for part in parts), Decimal(0)),
        model_requests=sum((part["model_requests"] for part in parts), Decimal(0)),
        effective=effective.usd,
        remainder=remainder.usd,
        apart=effective.apart,
        meters=meters,
        is_generated=any(part["generated"] for part in parts),
    )
