"""A price: the cost of one unit of something in US dollars, with its date and source."""

import dataclasses
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.values import is_plausible

SKU = re.compile(r"[a-z0-9][a-z0-9._-]*(?:/[^\s/]+)+")
SKU_FORM = "provider/region/name like aws/us-east-1/g5.xlarge, or provider/model like openai/gpt-4o-mini"


class PriceUnit(StrEnum):
    """The unit of a price."""

    INSTANCE_H = "instance_h"
    GPU_H = "gpu_h"
    GB_MONTH = "gb_month"
    GB = "gb"
    MILLION_TOKENS = "million_tokens"
    MILLION_CHARACTERS = "million_characters"
    AUDIO_H = "audio_h"
    MESSAGE = "message"
    PAGE = "page"
    SEARCH = "search"
    REQUEST = "request"


class Term(StrEnum):
    """The purchase term. Commitments are hourly prices that are paid whether used or not."""

    ON_DEMAND = "on_demand"
    SPOT = "spot"
    COMMIT_1Y_NO_UPFRONT = "commit_1y_no_upfront"
    COMMIT_1Y_ALL_UPFRONT = "commit_1y_all_upfront"
    COMMIT_3Y_NO_UPFRONT = "commit_3y_no_upfront"
    COMMIT_3Y_PARTIAL_UPFRONT = "commit_3y_partial_upfront"
    COMMIT_3Y_ALL_UPFRONT = "commit_3y_all_upfront"
    BATCH = "batch"
    FLEX = "flex"
    PRIORITY = "priority"
    FAST = "fast"


class PriceKind(StrEnum):
    """The kind of thing."""

    INSTANCE = "instance"
    ENDPOINT = "endpoint"
    STORAGE = "storage"
    EGRESS = "egress"
    MODEL = "model"


class Meter(StrEnum):
    """What is counted, for SKUs with several prices; most have one, `WHOLE`, which counts requests for models."""

    WHOLE = "whole"
    INPUT = "input"
    OUTPUT = "output"
    CACHE_READ = "cache_read"
    CACHE_WRITE = "cache_write"
    CACHE_WRITE_1H = "cache_write_1h"
    CACHE_AUDIO_READ = "cache_audio_read"
    CACHE_IMAGE_READ = "cache_image_read"
    INPUT_AUDIO = "input_audio"
    INPUT_IMAGE = "input_image"
    INPUT_VIDEO = "input_video"
    OUTPUT_AUDIO = "output_audio"
    OUTPUT_IMAGE = "output_image"
    OUTPUT_VIDEO = "output_video"
    OUTPUT_REASONING = "output_reasoning"
    OUTPUT_CITATION = "output_citation"
    AUDIO_TIME = "audio_time"
    INPUT_AUDIO_TIME = "input_audio_time"
    INPUT_CHARACTERS = "input_characters"
    INPUT_MESSAGES = "input_messages"
    INPUT_PAGES = "input_pages"
    INPUT_ANNOTATED_PAGES = "input_annotated_pages"
    WEB_SEARCHES = "web_searches"
    STORAGE_SEARCHES = "storage_searches"


class PriceOrigin(StrEnum):
    """The origin of the amount: a published list, an organization's contract, or a list price times a factor."""

    LIST = "list"
    NEGOTIATED = "negotiated"
    DERIVED = "derived"


class TierRule(StrEnum):
    """How tiers are charged: only the units above a threshold, or all units once it is exceeded."""

    MARGINAL = "marginal"
    ALL_UNITS = "all_units"


@dataclasses.dataclass(frozen=True)
class PriceTier:
    """Another price above a threshold: units per month for traffic, input tokens of one request for models."""

    above: Decimal
    usd: Decimal


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hardware:
    """The hardware that an hour buys. `gpus` is 0 for a fraction of a GPU; `gpu_gib` is the memory of one GPU."""

    gpu: str = ""
    gpus: int = 0
    gpu_gib: Decimal | None = None
    vcpus: int | None = None
    memory_gib: Decimal | None = None


@dataclasses.dataclass(frozen=True)
class Conversion:
    """The amount as listed in another currency, and the dated rate that converted it."""

    currency: str
    listed: Decimal
    usd_per_unit: Decimal
    as_of: date
    source: str


@dataclasses.dataclass(frozen=True)
class Retirement:
    """The day a vendor stops serving a managed model; users must switch to another model by then."""

    on: date
    source: str
    successor: str = ""


# Notes of prices: the vendor no longer recommends the model, or charges more than this version can count.
DEPRECATED = "deprecated by its vendor"
UNCOUNTED = "the vendor also charges"

Key = tuple[str, Term, Meter]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Price:
    """One dated, sourced price. `usd` is exact; `tiers` are further prices above a volume.

    `low_usd` and `high_usd` bound a derived price; `list_price` is set for a negotiated or derived one. `least` is the
    smallest quantity that is charged per request, in what is counted.
    """

    sku: str
    provider: str
    region: str = ""
    usd: Decimal
    unit: PriceUnit
    as_of: date
    source: str
    kind: PriceKind = PriceKind.INSTANCE
    term: Term = Term.ON_DEMAND
    meter: Meter = Meter.WHOLE
    origin: PriceOrigin = PriceOrigin.LIST
    hardware: Hardware | None = None
    tiers: tuple[PriceTier, ...] = ()
    tier_rule: TierRule = TierRule.MARGINAL
    low_usd: Decimal | None = None
    high_usd: Decimal | None = None
    least: Decimal | None = None
    list_price: "Price | None" = None
    conversion: Conversion | None = None
    retirement: Retirement | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse floats, negative amounts, malformed SKUs, unordered tiers and missing sources."""
        if not SKU.fullmatch(self.sku) or not self.sku.startswith(f"{self.provider}/"):
            raise Invalid(f"{self.sku!r} is not a SKU of {self.provider}; write {SKU_FORM}.", field="sku")
        for name, amount in (("usd", self.usd), *(("tiers", tier.usd) for tier in self.tiers)):
            check_amount(amount, field=name)
        thresholds = [tier.above for tier in self.tiers]
        if thresholds != sorted(set(thresholds)) or any(above <= 0 for above in thresholds):
            raise Invalid(f"The tiers of {self.sku} must increase and be above 0.", field="tiers")
        if not self.source.strip():
            raise Invalid(f"The price of {self.sku} has no source.", field="source")

    @property
    def key(self) -> Key:
        """What the price is for; two prices with one key are competing prices for the same thing."""
        return self.sku, self.term, self.meter

    @property
    def usd_per_gpu_h(self) -> Decimal | None:
        """US dollars for one GPU hour; None without a whole GPU, or if the unit is not a machine hour."""
        if self.unit is PriceUnit.GPU_H:
            return self.usd
        if self.unit is not PriceUnit.INSTANCE_H or self.hardware is None or self.hardware.gpus < 1:
            return None
        return self.usd / self.hardware.gpus

    def age_days(self, on: date) -> int:
        """Return the age of the price in days."""
        return (on - self.as_of).days

    def as_document(self) -> dict[str, Any]:
        """Return the price in JSON's own types, decimals as text, without absent and default values."""
        return as_plain(self)


@dataclasses.dataclass(frozen=True)
class Fault:
    """A rejected row of a list: its position, the invalid field and the reason."""

    row: str
    field: str
    reason: str


@dataclasses.dataclass(frozen=True)
class PriceList:
    """Prices of one source; an imported list also has retirement days, rejected rows and a number of skipped rows."""

    name: str
    source: str
    as_of: date
    prices: tuple[Price, ...]
    faults: tuple[Fault, ...] = ()
    skipped: int = 0
    retirements: Mapping[str, Retirement] = dataclasses.field(default_factory=dict)


# Values left out of a document, so that a new field never changes the digest of older documents.
ABSENT = (None, "", ())
USUAL: dict[str, tuple[Any, ...]] = {
    "term": (Term.ON_DEMAND,),
    "meter": (Meter.WHOLE,),
    "origin": (PriceOrigin.LIST,),
    "tier_rule": (TierRule.MARGINAL,),
    "kind": (PriceKind.INSTANCE,),
    "region": ("",),
    "gpus": (0,),
}


def check_amount(amount: object, *, field: str) -> Decimal:
    """Return the amount; raise Invalid for floats, negative and implausibly large amounts."""
    if not isinstance(amount, Decimal) or not amount.is_finite() or amount < 0 or not is_plausible(amount):
        raise Invalid(f"{field} must be an exact decimal of 0 or more, not {amount!r}.", field=field)
    return amount


def amount_text(amount: Decimal) -> str:
    """Return the canonical text of an amount: no exponent, no trailing zeros. `1.50` and `1.5` are the same price."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def as_plain(value: Any) -> dict[str, Any]:
    """Return a frozen record of this package in JSON's own types, without absent and default values."""
    named = ((name, getattr(value, name)) for name in value.__dataclass_fields__)
    return {name: _plain(item) for name, item in named if item not in USUAL.get(name, ABSENT)}


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return str(value)
    if isinstance(value, Decimal):
        return amount_text(value)
    if isinstance(value, tuple):
        return [as_plain(item) for item in value]
    if isinstance(value, date):
        return value.isoformat()
    return as_plain(value) if dataclasses.is_dataclass(value) else value
