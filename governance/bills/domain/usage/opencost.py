"""The inference costs of OpenCost (`/inferenceCost/total`, `/inferenceCost/timeseries`), as rows in FOCUS columns.

OpenCost calculates what a token of a model on the own cluster costs (`llm_cost_per_million_tokens`, by cost basis and
phase); it is taken over, not calculated again. Only the cost basis `allocation` adds up to the bill of the
infrastructure. Fields: `properties.modelName`, `properties.modelVersion`, `properties.namespace`, `window.start`,
`window.end`, `costBasis`, `totalCost`, `inputCost`, `outputCost`, `promptTokens`, `generationTokens`,
`inputCostPerMillionTokens`, `outputCostPerMillionTokens`. Source: OpenCost, AI Inference Cost Tracking, November 2026.
"""

from collections.abc import Iterator, Mapping
from datetime import date

from governance.bills.domain.file_kind import bad_file
from governance.bills.domain.usage.focus_rows import FocusRow, focus_row, less, number, token_columns
from governance.bills.domain.usage.records import Record, text_at
from governance.budgets.domain.quarters import next_month

PROVIDER = "OpenCost"
ALLOCATION = "allocation"
NEEDED = (("costBasis", "totalCost", "promptTokens", "generationTokens"),)
METER = "llm_cost_per_million_tokens"
PHASES = (
    ("Input", "Other", "prompt", "promptTokens", "inputCost", "inputCostPerMillionTokens"),
    ("Output", "Uncached", "generation", "generationTokens", "outputCost", "outputCostPerMillionTokens"),
)


def rows_of(record: Record, *, account: str) -> Iterator[FocusRow]:
    """The rows of a set of inference costs, or of one: input, output, and what OpenCost does not split by phase."""
    for each in _costs(record):
        yield from _rows(each, account)


def _costs(record: Record) -> Iterator[Record]:
    sets = record.get("inferenceCostSets")
    for one in sets if isinstance(sets, list) else [record]:
        costs = one.get("inferenceCosts") if isinstance(one, Mapping) else None
        if isinstance(costs, Mapping):
            yield from (each for each in costs.values() if isinstance(each, Mapping))
        elif isinstance(one, Mapping):
            yield one


def _rows(record: Record, account: str) -> Iterator[FocusRow]:
    basis, start, end = (text_at(record, name) for name in ("costBasis", "window.start", "window.end"))
    if basis != ALLOCATION:
        reason = f"The file has costs of the basis {basis!r}; only {ALLOCATION!r} adds up to the bill."
        raise bad_file("cost_basis", f"{reason} Export it with costBasis={ALLOCATION}.")
    if end[:10] > _month_end(start):
        raise bad_file(
            "crosses_months", f"The window from {start} to {end} crosses months. Export one month at a time."
        )
    model = text_at(record, "properties.modelName")
    about = {"provider": PROVIDER, "account": account, "time": start}
    about["SubAccountId"] = text_at(record, "properties.namespace")
    for direction, action, phase, tokens, cost, rate in PHASES:
        count = text_at(record, tokens) or "0"
        named = token_columns(
            model=model,
            direction=direction,
            action=action,
            tokens=count,
            snapshot=text_at(record, "properties.modelVersion"),
        )
        price = {"ContractedUnitPrice": text_at(record, rate), "PricingUnit": "Million Tokens"}
        price["PricingQuantity"] = _millions(count)
        meter = f"{METER}:{basis}:{phase}"
        yield focus_row(cost=text_at(record, cost) or "0", SkuMeter=meter, **about, **named, **price)
    rest = less(text_at(record, "totalCost"), *(text_at(record, name) for name in ("inputCost", "outputCost")))
    if rest.strip("-0."):
        yield focus_row(cost=rest, SkuMeter=f"{METER}:{basis}", **about)


def _month_end(start: str) -> str:
    try:
        return f"{next_month(date.fromisoformat(start[:10]))}"
    except ValueError:
        return "9999"


def _millions(count: str) -> str:
    value = number(count)
    return count if value is None else format(value / 1_000_000, "f")
