"""The cost of one request to a managed model, exactly, from the usage as vendors count it.

In a vendor's usage, `input_tokens` are all input tokens, cached and written ones included, and `output_tokens` are all
output tokens, reasoning included. Each kind is charged at its own price, or at the nearest more general one:

    [(in - read - write) p_in + read p_read + write p_write + write_1h p_write_1h
     + (out - reasoning) p_out + reasoning p_reasoning + media] / 1e6 + searches p_search + fee

A price tier holds for the whole request, output included, once its input tokens exceed the limit of the tier. The
package genai-prices calculates the same, with three differences: a usage that no price covers is refused here and costs
nothing there; an unknown tier is refused here and costs the usual price there; and a price that depends on the hour is
the highest of the day here.
"""

import dataclasses
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from weighbridge.core.errors import Invalid
from weighbridge.costs.parts.charges import Charge, Rate, charges, left_out
from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.prices.components import COMPONENTS, Component
from weighbridge.costs.prices.price import Meter, Price, PriceKind, PriceUnit, Term, amount_text
from weighbridge.costs.spec.model_prices import rate_of

SCHEMA = "weighbridge.request-cost/1"
# The names of tiers, as vendors write them in a request.
TIERS: Final[Mapping[str, Term]] = {
    "standard": Term.ON_DEMAND,
    "batch": Term.BATCH,
    "flex": Term.FLEX,
    "priority": Term.PRIORITY,
    "fast": Term.FAST,
}
LARGEST_COUNT = 10**12
_COUNTED = {each.quantity: each for each in COMPONENTS if each.meter is not Meter.WHOLE}
_INPUT, _OUTPUT = "input_tokens", "output_tokens"


@dataclasses.dataclass(frozen=True)
class PricedComponent:
    """One component of a request: how many, the price that it is charged at, the price of a unit, and the amount.

    `unit_usd` is the price of the tier that the request reaches.
    """

    charge: Charge
    price: Price

    @property
    def is_general(self) -> bool:
        """Whether the component has no price of its own."""
        return self.charge.meter is not self.charge.component.meter

    @property
    def formula(self) -> str:
        """Return the amount as a product, like `800 x 0.025 / 1,000,000`."""
        per_unit = self.charge.component.per_unit
        product = f"{self.charge.count} x {amount_text(self.charge.unit_usd)}"
        return f"{product} / {per_unit:,}" if per_unit > 1 else product

    def as_document(self) -> dict[str, Any]:
        """Return the line in JSON's own types, amounts as text."""
        return {
            "component": self.charge.component.quantity,
            "count": self.charge.count,
            "charged_as": self.charge.meter.value,
            "unit": self.price.unit.value,
            "unit_usd": amount_text(self.charge.unit_usd),
            "usd": amount_text(self.charge.usd),
            "formula": self.formula,
            "price": self.price.as_document(),
        }


@dataclasses.dataclass(frozen=True)
class RequestCost:
    """The cost of a request: its lines, and by name what else the vendor charges for but the usage does not state."""

    sku: str
    tier: str
    as_of: date
    snapshot: str
    usage: Mapping[str, int]
    lines: tuple[PricedComponent, ...]
    left_out: tuple[str, ...]

    @property
    def total_usd(self) -> Decimal:
        """Return the exact sum of the lines."""
        return sum((line.charge.usd for line in self.lines), Decimal(0))

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Return a row for each line, amounts exact."""
        names = ("component", "count", "charged_as", "unit")
        documents = [(line, line.as_document()) for line in self.lines]
        return [
            {**{name: row[name] for name in names}, "unit_usd": line.charge.unit_usd, "usd": line.charge.usd}
            for line, row in documents
        ]

    def as_document(self) -> dict[str, Any]:
        """Return the document, `weighbridge.request-cost/1`."""
        return {
            "schema": SCHEMA,
            "sku": self.sku,
            "tier": self.tier,
            "as_of": self.as_of.isoformat(),
            "snapshot": self.snapshot,
            "usage": dict(self.usage),
            "lines": [line.as_document() for line in self.lines],
            "total_usd": amount_text(self.total_usd),
            "left_out": list(self.left_out),
        }


def request_cost(book: PriceBook, sku: str, usage: Mapping[str, int], *, tier: str = "standard") -> RequestCost:
    """Return the exact cost of one request of `usage` to the model `sku` at a tier.

    `usage` has whole numbers by name: `input_tokens` and `output_tokens` include all special kinds of tokens, such as
    `cache_read_tokens`, `cache_write_tokens`, `cache_write_1h_tokens`, `input_audio_tokens` and
    `output_reasoning_tokens`; all other quantities, such as `web_searches`, are counted apart. A request fee is charged
    where the vendor has one.

    Raises Invalid for an unknown model (with the nearest names), a tier that is unknown or that the model does not
    have, a count that is no whole number of zero or more, special tokens that exceed the tokens they are part of, and a
    count that no price covers.
    """
    term = _term_of(tier)
    counts = counts_apart(usage)
    prices = _prices_of(book, sku, term)
    rates = {meter: rate_of(price) for meter, price in prices.items()}
    found = _charged(sku, rates, counts)
    return RequestCost(
        sku=sku,
        tier=tier,
        as_of=book.as_of,
        snapshot=book.snapshot_id,
        usage={name: count for name, count in usage.items() if count},
        lines=tuple(PricedComponent(charge, prices[charge.meter]) for charge in found),
        left_out=_left_out(rates, counts),
    )


def counts_apart(usage: Mapping[str, int]) -> dict[str, int]:
    """Return the quantities counted apart, as prices count them: input tokens without the cached and written ones.

    Raises Invalid as `request_cost`.
    """
    for name, count in usage.items():
        _check_count(name, count)
    counts = {name: usage.get(name, 0) for name in _COUNTED}
    for whole, parts in ((_INPUT, _parts_of(Meter.INPUT)), (_OUTPUT, _parts_of(Meter.OUTPUT))):
        inside = {part: counts[part] for part in parts if counts[part]}
        if sum(inside.values()) > counts[whole]:
            listed = " + ".join(f"{name} {count:,}" for name, count in inside.items())
            text = f"{listed} is more than the {counts[whole]:,} {whole}, which include them; raise {whole}."
            raise Invalid(text, field=whole, code="tokens")
        counts[whole] -= sum(inside.values())
    return counts


def _parts_of(meter: Meter) -> tuple[str, ...]:
    """The special kinds of tokens of a general meter."""
    special = (each for each in _COUNTED.values() if each.unit is PriceUnit.MILLION_TOKENS and meter in each.general)
    return tuple(each.quantity for each in special)


def _check_count(name: str, count: object) -> None:
    if name not in _COUNTED:
        raise Invalid(f"{name!r} is no quantity of a request; these are {', '.join(_COUNTED)}.", field=name)
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= LARGEST_COUNT:
        raise Invalid(f"{name} must be a whole number of zero or more, not {count!r:.40}.", field=name)


def _term_of(tier: str) -> Term:
    """Names match exactly: a vendor would refuse "Flex", and a price for it would be invented."""
    if tier not in TIERS:
        raise Invalid(f"There is no tier {tier!r}; write one of {', '.join(TIERS)}.", field="tier", code="unknown_tier")
    return TIERS[tier]


def _prices_of(book: PriceBook, sku: str, term: Term) -> dict[Meter, Price]:
    offered = [each for each in COMPONENTS if book.opinions(sku, term=term, meter=each.meter)]
    if not offered:
        meters = [price.meter for price in book.with_sku(sku)]
        book.find(sku, term=term, meter=meters[0] if meters else Meter.INPUT)  # raises, with what there is
    found = {each.meter: book.find(sku, term=term, meter=each.meter) for each in offered}
    if any(price.kind is not PriceKind.MODEL for price in found.values()):
        raise Invalid(f"{sku} is no managed model; name one like openai/gpt-5-mini.", field="sku", code="unknown_sku")
    return found


def _charged(sku: str, rates: Mapping[Meter, Rate], counts: Mapping[str, int]) -> tuple[Charge, ...]:
    try:
        return charges(rates, {**counts, "requests": 1 if Meter.WHOLE in rates else 0})
    except Invalid as refused:
        text = f"{sku} has no price that covers {refused.field}; leave it out, or name another model."
        raise Invalid(text, field=refused.field, code=refused.code) from refused


def _left_out(rates: Mapping[Meter, Rate], counts: Mapping[str, int]) -> tuple[str, ...]:
    """Name what the vendor charges and the usage lacks, the fee of the request aside: it is in the lines."""
    missing: tuple[Component, ...] = left_out(rates, counts)
    return tuple(each.quantity for each in missing if each.meter is not Meter.WHOLE)
