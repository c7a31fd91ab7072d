"""LiteLLM's list: `model_prices_and_context_window.json`, read as a file; the package is never imported.

Prices per million tokens, with batch, flex and priority, tiers by input length, and the retirement days of models.
"""

import functools
import re
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import IO, Any

from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.importers.json_stream import members
from weighbridge.costs.prices.importers.report import Collector, amount_of, day_of
from weighbridge.costs.prices.price import (
    Meter,
    Price,
    PriceKind,
    PriceList,
    PriceTier,
    PriceUnit,
    Retirement,
    Term,
    TierRule,
)

SOURCE = "LiteLLM model_prices_and_context_window.json"
SAMPLE = "sample_spec"
# Provider names of LiteLLM and of the price book.
PROVIDERS = {
    "gemini": "google",
    "xai": "x-ai",
    "moonshot": "moonshotai",
    "fireworks_ai": "fireworks",
    "together_ai": "together",
    "bedrock": "aws",
    "bedrock_converse": "aws",
}
METERS = {
    Meter.INPUT: "input_cost_per_token",
    Meter.OUTPUT: "output_cost_per_token",
    Meter.CACHE_READ: "cache_read_input_token_cost",
    Meter.CACHE_WRITE: "cache_creation_input_token_cost",
    Meter.CACHE_WRITE_1H: "cache_creation_input_token_cost_above_1hr",
    Meter.INPUT_AUDIO: "input_cost_per_audio_token",
    Meter.INPUT_IMAGE: "input_cost_per_image_token",
    Meter.OUTPUT_AUDIO: "output_cost_per_audio_token",
    Meter.OUTPUT_IMAGE: "output_cost_per_image_token",
    Meter.OUTPUT_REASONING: "output_cost_per_reasoning_token",
}
TERMS = {Term.ON_DEMAND: "", Term.BATCH: "_batches", Term.FLEX: "_flex", Term.PRIORITY: "_priority"}
TIER = re.compile(r"_above_(\d+)k_tokens(.*)")
MODES = {"chat", "completion", "responses", "embedding"}
MILLION, THOUSAND = 1_000_000, 1_000


def read_litellm(stream: IO[str], *, as_of: date) -> PriceList:
    """Return the prices and retirements of a file fetched on the day `as_of`."""
    found = Collector()
    for path, row in members(stream, is_opened=lambda path: path == ()):
        if not path:
            raise Invalid("The file must be a JSON object of models by name.", field="file")
        name = str(path[0])
        if name != SAMPLE:
            found.add(name, functools.partial(_prices, name, row, as_of, found))
    return found.imported(f"litellm-{as_of}", SOURCE, as_of)


def _prices(name: str, row: Any, as_of: date, found: Collector) -> tuple[Price, ...] | None:
    if not isinstance(row, Mapping) or not isinstance(row.get("litellm_provider"), str):
        raise Invalid("litellm_provider is missing.", field="litellm_provider")
    if row.get("mode") not in MODES:
        return None
    theirs: str = row["litellm_provider"]
    provider = PROVIDERS.get(theirs, theirs)
    sku = f"{provider}/{name.removeprefix(f'{theirs}/')}"
    if row.get("deprecation_date"):
        on = day_of(row["deprecation_date"], field="deprecation_date")
        successor = str(row.get("successor_model") or "").removeprefix(f"{theirs}/")
        found.retirements[sku] = Retirement(on, f"{SOURCE}, {as_of}", successor)
    return tuple(_rows(sku, provider, row, as_of))


def _rows(sku: str, provider: str, row: Mapping[str, Any], as_of: date) -> Iterator[Price]:
    for meter, key in METERS.items():
        for term, ending in TERMS.items():
            if row.get(key + ending) is None:
                continue
            tiers = _tiers(row, key, ending)
            yield Price(
                sku=sku,
                provider=provider,
                usd=_per_million(row, key + ending),
                unit=PriceUnit.MILLION_TOKENS,
                as_of=as_of,
                source=SOURCE,
                kind=PriceKind.MODEL,
                term=term,
                meter=meter,
                tiers=tiers,
                tier_rule=TierRule.ALL_UNITS if tiers else TierRule.MARGINAL,
            )


def _tiers(row: Mapping[str, Any], key: str, ending: str) -> tuple[PriceTier, ...]:
    found = []
    for name in row:
        tier = TIER.fullmatch(name.removeprefix(key)) if name.startswith(key) else None
        if tier and tier[2] == ending and row[name] is not None:
            found.append(PriceTier(Decimal(int(tier[1]) * THOUSAND), _per_million(row, name)))
    return tuple(sorted(found, key=lambda each: each.above))


def _per_million(row: Mapping[str, Any], key: str) -> Decimal:
    return amount_of(row[key], field=key, is_free_allowed=True) * MILLION
