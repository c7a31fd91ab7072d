"""The page of shipped prices: a table for each sheet, the discounts of commitments, and the days of retirement."""

from collections.abc import Iterator
from decimal import Decimal

from config.reference.tables import code, page, table
from weighbridge.costs.prices.files.sheet import PriceSheet
from weighbridge.costs.prices.price import Price, amount_text
from weighbridge.costs.prices.shipped import own_discounts, own_retirements, own_sheets

INTRODUCTION = """\
What the package ships, in US dollars, by sheet. How to ask it, and how to put a newer list beside it, stands in
[Use the price book](../how-to/use-the-price-book.md). Prices of managed models come from the package `genai-prices`;
ask `weighbridge prices list 'openai/*'`."""
DISCOUNTS = "What a commitment saves where neither a list nor a contract says it, as shares of the on-demand price."
RETIREMENTS = "The day on which a vendor stops serving a managed model: whoever uses it has to have moved by then."


def prices_page() -> str:
    """The whole page."""
    parts = [part for sheet in own_sheets() for part in _sheet(sheet)]
    discounts = own_discounts()
    rows = (
        (each.provider, code(each.term), *map(amount_text, (each.share, each.low, each.high))) for each in discounts
    )
    retired = ((code(sku), str(each.on), each.successor) for sku, each in sorted(own_retirements().items()))
    return page(
        "Prices",
        INTRODUCTION,
        *parts,
        "## Commitments",
        f"{DISCOUNTS} Source: {discounts[0].source}, {discounts[0].as_of}.",
        table(("Provider", "Term", "Share", "Low", "High"), rows),
        "## Retirements",
        f"{RETIREMENTS} Source: {next(iter(own_retirements().values())).source}.",
        table(("Model", "Retired on", "Successor"), retired),
    )


def _sheet(sheet: PriceSheet) -> Iterator[str]:
    yield f"## {sheet.name}"
    yield f"Source: {sheet.source}, {sheet.as_of}."
    heads = ("SKU", "Bought", "USD", "For", "USD a GPU hour", "Hardware", "Remark")
    yield table(heads, (_row(sheet, price) for price in sheet.prices))


def _row(sheet: PriceSheet, price: Price) -> tuple[str, ...]:
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
