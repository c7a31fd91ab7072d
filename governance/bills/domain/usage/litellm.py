"""The spend logs of a LiteLLM proxy (the table LiteLLM_SpendLogs), as rows in FOCUS columns.

Columns: `startTime`, `model`, `custom_llm_provider`, `team_id`, `prompt_tokens` (with cached ones),
`completion_tokens`, `spend` in US dollars, `status`, and `metadata` (JSON) with `cost_breakdown.input_cost`,
`cost_breakdown.output_cost` and `usage_object`. Source: schema.prisma of LiteLLM and its documentation of spend
tracking, November 2026.
"""

from collections.abc import Iterator, Mapping

from governance.bills.domain.quantities.token_kinds import properties_in
from governance.bills.domain.usage.focus_rows import FocusRow, focus_row, less, token_columns
from governance.bills.domain.usage.records import Record, text_at

PROVIDER = "LiteLLM"
NEEDED = (("startTime", "model", "prompt_tokens", "completion_tokens", "spend"),)
CACHED = ("usage_object.prompt_tokens_details.cached_tokens", "usage_object.cache_read_input_tokens")
NOT_SPLIT = "spend that is not split by direction"


def rows_of(record: Record, *, account: str) -> Iterator[FocusRow]:
    """The rows of a request: its input, its output, and what of its cost the log does not split by direction.

    The log has one cost for all input. So if a part of the input was read from a cache, all of it counts as input
    with an unknown cache action.
    """
    metadata = _metadata(record)
    model = text_at(record, "model")
    provider = text_at(record, "custom_llm_provider") or PROVIDER
    about = {"provider": provider, "account": account, "time": text_at(record, "startTime")}
    about["SubAccountId"] = text_at(record, "team_id")
    asked, answered = text_at(record, "prompt_tokens"), text_at(record, "completion_tokens")
    paid = [text_at(metadata, f"cost_breakdown.{name}") or "0" for name in ("input_cost", "output_cost")]
    action = "Uncached" if text_at(metadata, *CACHED) in {"", "0"} else "Other"
    is_answered = text_at(record, "status") != "failure"
    kinds = (("Input", action, asked, paid[0], ""), ("Output", "Uncached", answered, paid[1], "1" * is_answered))
    for direction, cache, count, cost, requests in kinds:
        named = token_columns(model=model, direction=direction, action=cache, tokens=count or "0")
        meter = f"{model}:{direction.lower()}"
        yield focus_row(cost=cost, SkuMeter=meter, x_ModelRequests=requests, **about, **named)
    rest = less(text_at(record, "spend"), *paid)
    if rest.strip("-0."):
        yield focus_row(cost=rest, SkuMeter=f"{model}: {NOT_SPLIT}", **about)


def _metadata(record: Record) -> Record:
    metadata = record.get("metadata")
    return metadata if isinstance(metadata, Mapping) else properties_in(str(metadata or ""))
