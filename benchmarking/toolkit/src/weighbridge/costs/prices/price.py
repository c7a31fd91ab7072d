"""A price: what one unit of something costs in US dollars, since when that is known, and who says so."""

import dataclasses
import re
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.core.metrics import is_plausible

SKU = re.compile(r"[a-z0-9][a-z0-9._-]*(?:/[^\s/]+)+")
SKU_FORM = "provider/region/name like aws/us-east-1/g5.xlarge, or provider/model like openai/gpt-4o-mini"


class PriceUnit(StrEnum):
    """What one price buys."""

    INSTANCE_H = "instance_h"
    GPU_H = "gpu_h"
    GB_MONTH = "gb_month"
    GB = "gb"
    MILLION_TOKENS = "million_tokens"
    REQUEST = "request"


class Term(StrEnum):
    """How it is bought. Commitments are prices of an hour that is paid whether used or not."""

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


class PriceKind(StrEnum):
    """What sort of thing it is."""

    INSTANCE = "instance"
    ENDPOINT = "endpoint"
    STORAGE = "storage"
    EGRESS = "egress"
    MODEL = "model"


class Meter(StrEnum):
    """What is counted, where one SKU has several prices; most have one, `WHOLE`."""

    WHOLE = "whole"
    INPUT = "input"
    OUTPUT = "output"
    CACHE_READ = "cache_read"
    CACHE_WRITE = "cache_write"


class PriceOrigin(StrEnum):
    """Where the amount comes from: a published list, an organization's contract, or a list price times a factor."""

    LIST = "list"
    NEGOTIATED = "negotiated"
    DERIVED = "derived"


class TierRule(StrEnum):
    """How tiers are charged: the units above a threshold at its price, or all units once it is crossed."""

    MARGINAL = "marginal"
    ALL_UNITS = "all_units"


@dataclasses.dataclass(frozen=True)
class PriceTier:
    """Another price above a threshold: units a month for traffic, tokens of one request's input for models."""

    above: Decimal
    usd: Decimal


@dataclasses.dataclass(frozen=True, kw_only=True)
class Hardware:
    """What an hour buys. `gpus` is 0 where only a fraction of a GPU is rented; `gpu_gib` is the memory of one GPU."""

    gpu: str = ""
    gpus: int = 0
    gpu_gib: Decimal | None = None
    vcpus: int | None = None
    memory_gib: Decimal | None = None


@dataclasses.dataclass(frozen=True)
class Conversion:
    """The amount as it was listed in another currency, and the dated rate that made dollars of it."""

    currency: str
    listed: Decimal
    usd_per_unit: Decimal
    as_of: date
    source: str


@dataclasses.dataclass(frozen=True)
class Retirement:
    """The day a vendor stops serving a managed model: who uses it must have moved to another by then."""

    on: date
    source: str
    successor: str = ""


Key = tuple[str, Term, Meter]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Price:
    """One dated, sourced price. `usd` is exact; `tiers` hold further prices above a volume.

    `low_usd` and `high_usd` bound a derived price; `list_price` stands beside a negotiated or derived one.
    """

    sku: str
    provider: str
    region: str
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
    list_price: "Price | None" = None
    conversion: Conversion | None = None
    retirement: Retirement | None = None
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse what is no price: floats, negative amounts, a SKU of another form, tiers out of order, no source."""
        if not SKU.fullmatch(self.sku) or not self.sku.startswith(f"{self.provider}/"):
            raise Invalid(f"{self.sku!r} is no SKU of {self.provider}; write {SKU_FORM}.", field="sku")
        for name, amount in (("usd", self.usd), *(("tiers", tier.usd) for tier in self.tiers)):
            check_amount(amount, field=name)
        thresholds = [tier.above for tier in self.tiers]
        if thresholds != sorted(set(thresholds)) or any(above <= 0 for above in thresholds):
            raise Invalid(f"The tiers of {self.sku} must rise from above 0.", field="tiers")
        if not self.source.strip():
            raise Invalid(f"The price of {self.sku} names no source.", field="source")

    @property
    def key(self) -> Key:
        """What the price is of; two prices with one key are two opinions of the same thing."""
        return self.sku, self.term, self.meter

    @property
    def usd_per_gpu_h(self) -> Decimal | None:
        """Dollars for one GPU for one hour; None where no whole GPU is rented or the unit is no hour of a machine."""
        if self.unit is PriceUnit.GPU_H:
            return self.usd
        if self.unit is not PriceUnit.INSTANCE_H or self.hardware is None or self.hardware.gpus < 1:
            return None
        return self.usd / self.hardware.gpus

    def usd_for(self, quantity: Decimal | int) -> Decimal:
        """Dollars for `quantity` units, each charged at the price of its own tier (a month's gigabytes of traffic).

        Invalid where a threshold moves the price of all units (models: ask `usd_at` with the tokens of input), and for
        a float.
        """
        if self.tiers and self.tier_rule is TierRule.ALL_UNITS:
            raise Invalid(f"A tier of {self.sku} holds for the whole request; ask its price by tokens.", field="sku")
        units = check_amount(Decimal(quantity) if isinstance(quantity, int) else quantity, field="quantity")
        starts = [Decimal(0), *(tier.above for tier in self.tiers)]
        rates = [self.usd, *(tier.usd for tier in self.tiers)]
        ends = [*starts[1:], max(units, starts[-1])]
        parts = zip(starts, ends, rates, strict=True)
        return sum((max(min(units, end) - start, Decimal(0)) * rate for start, end, rate in parts), Decimal(0))

    def usd_at(self, volume: Decimal | int) -> Decimal:
        """The price of the tier that `volume` falls into: the highest threshold that is exceeded."""
        return next((tier.usd for tier in reversed(self.tiers) if volume > tier.above), self.usd)

    def age_days(self, on: date) -> int:
        """Days since the price was known to hold."""
        return (on - self.as_of).days

    def as_document(self) -> dict[str, Any]:
        """The price in JSON's own types, decimals as text; what is absent or usual is left out."""
        return as_plain(self)


# Values that a document leaves out, so that adding a field never changes an older document's digest.
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
    """The amount as it is; Invalid for floats, negative amounts, and what is beyond any plausible size."""
    if not isinstance(amount, Decimal) or not amount.is_finite() or amount < 0 or not is_plausible(amount):
        raise Invalid(f"{field} must be an exact decimal of 0 or more, not {amount!r}.", field=field)
    return amount


def amount_text(amount: Decimal) -> str:
    """An amount in one spelling: no exponent, no trailing zeros. `1.50` and `1.5` are the same price."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def as_plain(value: Any) -> dict[str, Any]:
    """A frozen record of this package in JSON's own types; what is absent or usual is left out."""
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
