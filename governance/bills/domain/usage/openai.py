"""The usage and the costs that the organization API of OpenAI exports, as rows in FOCUS columns.

Usage: `start_time`, `model`, `project_id`, `input_tokens` (with cached ones), `input_cached_tokens`,
`input_cache_write_tokens`, `output_tokens`, `num_model_requests`. Costs: `start_time`, `project_id`, `line_item`,
`amount.value`, `amount.currency`. Source: OpenAI API reference, Usage (completions) and Costs, November 2026.
"""

from collections.abc import Iterator

from governance.bills.domain.usage.focus_rows import FocusRow, focus_row, less, token_columns
from governance.bills.domain.usage.records import Record, text_at

PROVIDER = "OpenAI"
NEEDED = (("start_time", "model", "input_tokens", "output_tokens"), ("start_time", "amount.value"))
CACHED, WRITTEN = "input_cached_tokens", "input_cache_write_tokens"


def rows_of(record: Record, *, account: str) -> Iterator[FocusRow]:
    """The rows of a record of usage, one for each kind of tokens, or the row of a record of costs."""
    about = {"account": account, "time": text_at(record, "start_time"), "SubAccountId": text_at(record, "project_id")}
    cost = text_at(record, "amount.value")
    if cost:
        currency = (text_at(record, "amount.currency") or "usd").upper()
        yield focus_row(
            provider=PROVIDER, cost=cost, BillingCurrency=currency, SkuMeter=text_at(record, "line_item"), **about
        )
        return
    model = text_at(record, "model")
    cached, written = text_at(record, CACHED), text_at(record, WRITTEN)
    kinds = (
        ("Input", "Uncached", "input", less(text_at(record, "input_tokens"), cached, written)),
        ("Input", "Read", "cached input", cached),
        ("Input", "Write", "cache write", written),
        ("Output", "Uncached", "output", text_at(record, "output_tokens")),
    )
    for direction, action, name, count in kinds:
        if count not in {"", "0"}:
            named = token_columns(model=model, direction=direction, action=action, tokens=count)
            asked = text_at(record, "num_model_requests") if direction == "Output" else ""
            yield focus_row(provider=PROVIDER, SkuMeter=f"{model}, {name}", x_ModelRequests=asked, **about, **named)
