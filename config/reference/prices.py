"""Generate the page of shipped prices: a table for each sheet, commitment discounts, and retirement dates."""

from collections.abc import Iterator
from decimal import Decimal

from config.reference.tables import code, page, table
from weighbridge.costs.prices.price import Price, PriceList, amount_text
from weighbridge.costs.prices.shipped import shipped_discounts, shipped_retirements, shipped_sheets

INTRODUCTION = """\
The prices that are shipped with the package, in US dollars, by sheet.
[Use the price book](../how-to/use-the-price-book.md) explains how to query them and how to add a newer list.
Prices of managed models come from the package `genai-prices`; run `weighbridge prices list 'openai/*'`."""
DISCOUNTS = "Default commitment discounts, used without a price list or a contract, as shares of the on-demand price."
RETIREMENTS = "The date on which a vendor stops serving a managed model. Migrate before this date."


def prices() -> str:
    """The page text."""
    parts = [part for sheet in shipped_sheets() for part in _sheet(sheet)]
    discounts = shipped_discounts()
    rows = ((row.provider, code(row.term), *map(amount_text, (row.share, row.low, row.high))) for row in discounts)
    retired = ((code(sku), str(row.on), row.successor) for sku, row in sorted(shipped_retirements().items()))
    return page(
        "Prices",
        INTRODUCTION,
        *parts,
        "## Commitments",
        f"{DISCOUNTS} Source: {discounts[0].source}, {discounts[0].as_of}.",
        table(("Provider", "Term", "Share", "Low", "High"), rows),
        "## Retirements",
        f"{RETIREMENTS} Source: {next(iter(shipped_retirements().values())).source}.",
        table(("Model", "Retired on", "Successor"), retired),
    )


def _sheet(sheet: PriceList) -> Iterator[str]:
    yield f"## {sheet.name}"
    yield f"Source: {sheet.source}, {sheet.as_of}."
    heads = ("SKU", "Term", "USD", "Per", "USD per GPU hour", "Hardware", "Remark")
    yield table(heads, (_row(sheet, price) for price in sheet.prices))


def _row(sheet: PriceList, price: Price) -> tuple[str, ...]:
    per_gpu = price.usd_per_gpu_h
    gpu = "" if per_gpu is None else amount_text(per_gpu.quantize(Decimal("0.001")))
    tiers = [f"above {amount_text(tier.above)}: {amount_text(tier.usd)}" for tier in price.tiers]
    other = [] if price.source == sheet.source else [f"{price.source}, {price.as_of}"]
    remark = "; ".join(text for text in (price.note, *tiers, *other) if text)
    return code(price.sku), price.term, amount_text(price.usd), price.unit, gpu, _hardware(price), remark


def _hardware(price: Price) -> str:
    hardware = price.hardware
    if hardware is None:
        return ""
    gpus = f"{hardware.gpus} x {hardware.gpu}" if hardware.gpus else f"part of {hardware.gpu}" * bool(hardware.gpu)
    vcpus = f"{hardware.vcpus} vCPU" if hardware.vcpus else ""
    memory = f"{amount_text(hardware.memory_gib)} GiB" if hardware.memory_gib else ""
    return ", ".join(part for part in (gpus, vcpus, memory) if part)
