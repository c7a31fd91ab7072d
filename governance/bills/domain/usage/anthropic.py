"""The usage and the costs that the organization API of Anthropic reports, as rows in FOCUS columns.

Usage: `starting_at`, `model`, `workspace_id`, `uncached_input_tokens`, `cache_read_input_tokens`,
`cache_creation.ephemeral_5m_input_tokens`, `cache_creation.ephemeral_1h_input_tokens`, `output_tokens`; input excludes
cached tokens. Costs: `starting_at`, `workspace_id`, `model`, `token_type`, `description`, `currency`, and `amount` in
cents. Source: Anthropic API reference, Usage report (messages) and Cost report, November 2026.
"""

from collections.abc import Iterator
from decimal import Decimal

from governance.bills.domain.usage.focus_rows import FocusRow, focus_row, number, token_columns
from governance.bills.domain.usage.records import Record, text_at

PROVIDER = "Anthropic"
NEEDED = (("starting_at", "model", "uncached_input_tokens", "output_tokens"), ("starting_at", "amount"))
KINDS = {
    "uncached_input_tokens": ("Input", "Uncached"),
    "cache_read_input_tokens": ("Input", "Read"),
    "cache_creation.ephemeral_5m_input_tokens": ("Input", "Write"),
    "cache_creation.ephemeral_1h_input_tokens": ("Input", "Write"),
    "output_tokens": ("Output", "Uncached"),
}


def rows_of(record: Record, *, account: str) -> Iterator[FocusRow]:
    """The rows of a record of usage, one for each kind of tokens, or the row of a record of costs."""
    model, workspace = text_at(record, "model"), text_at(record, "workspace_id")
    about = {"account": account, "time": text_at(record, "starting_at"), "SubAccountId": workspace}
    cents = text_at(record, "amount")
    if cents:
        kind = text_at(record, "token_type")
        meter = f"{model}:{kind}" if model and kind else text_at(record, "description", "cost_type")
        currency = (text_at(record, "currency") or "USD").upper()
        yield focus_row(provider=PROVIDER, cost=_dollars(cents), BillingCurrency=currency, SkuMeter=meter, **about)
        return
    for name, (direction, action) in KINDS.items():
        count = text_at(record, name)
        if count not in {"", "0"}:
            named = token_columns(model=model, direction=direction, action=action, tokens=count)
            yield focus_row(provider=PROVIDER, SkuMeter=f"{model}:{name}", **about, **named)


def _dollars(cents: str) -> str:
    amount = number(cents)
    return cents if amount is None else format(amount / Decimal(100), "f")
