"""The billed tokens of a request by month, model and kind, compared with its projection."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from governance.bills.domain.quantities.token_rows import TokenRow
from governance.bills.queries import spend, token_costs
from governance.budgets.domain.quarters import last_day
from governance.exports.domain.tables import ExportTable
from reviews.evidence.domain.comparison import ComparedMonth
from reviews.evidence.domain.token_variance import TokenMonthComparison, compare_tokens, token_plan
from reviews.evidence.queries import projections
from reviews.evidence.queries.comparison_sources import RequestHistory
from reviews.requests.models import ReviewRequest

COLUMNS = (
    "Month",
    "Model",
    "Snapshot",
    "Token direction",
    "Cache action",
    "Tokens",
    "Requests",
    "Effective USD",
    "USD per million tokens",
    "Rounding or discount USD",
    "Not converted",
    "Unmatched meters",
)


@dataclass(frozen=True)
class TokenComparison:
    """The billed rows of tokens of a request, and the split of each billed month, or the inputs missing for it."""

    rows: tuple[TokenRow, ...]
    months: tuple[TokenMonthComparison, ...]


def tokens_of(request: ReviewRequest, *, history: RequestHistory, months: Sequence[ComparedMonth]) -> TokenComparison:
    """The rows of the compared months. Without rows of tokens in the bills, nothing is compared."""
    if not months:
        return TokenComparison((), ())
    shown = {month.month for month in months}
    asset, days = request.model_version.asset, {"start": min(shown), "end": last_day(max(shown))}
    found = token_costs.rows_of_model(asset=asset, request_refs=[request.ref], **days)
    rows = tuple(row for row in found if row.month in shown and history.owns(row))
    if not rows:
        return TokenComparison((), ())
    stated = projections.latest(request)
    plan = None if stated is None else token_plan(stated.projection.document, option=stated.option)
    compared = (compare_tokens(month, [row for row in rows if row.month == month.month], plan=plan) for month in months)
    return TokenComparison(rows, tuple(each for each in compared if each.split or each.missing_inputs))


def table(comparison: TokenComparison, *, ref: str) -> ExportTable:
    """The rows as a table."""
    cells: list[tuple[Any, ...]] = [
        (
            row.month,
            row.model or "unmatched",
            row.snapshot,
            row.direction or "unmatched",
            row.cache_action,
            row.tokens,
            row.model_requests,
            row.effective,
            row.usd_per_million,
            row.remainder,
            spend.unconverted_text(row.apart),
            ", ".join(row.meters),
        )
        for row in comparison.rows
    ]
    return ExportTable(f"tokens-{ref}", COLUMNS, cells, len(cells))
