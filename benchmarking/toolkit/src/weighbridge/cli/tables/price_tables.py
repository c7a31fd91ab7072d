"""Price tables for the terminal."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TextIO

from rich.console import Console
from rich.table import Table

from weighbridge.costs.prices.book import Disagreement, Offer, PriceBook
from weighbridge.costs.prices.files.snapshot import PriceReplay
from weighbridge.costs.prices.price import Meter, Price, PriceOrigin, amount_text

SOURCE_LENGTH = 44


def show_prices(book: PriceBook, prices: Sequence[Price], stream: TextIO, *, stale_days: int) -> None:
    """Print one row for each price; mark stale prices as `old` and prices that sources disagree on as `disputed`."""
    disputed = {each.key for each in book.disagreements()}
    table = _table(f"{len(prices)} prices on {book.as_of}", ("SKU", "terms", "USD", "per", "as of", "source", ""))
    for price in prices:
        marks = [f"old ({price.age_days(book.as_of)} days)"] if price.age_days(book.as_of) > stale_days else []
        mark = ", ".join([*marks, "disputed"] if price.key in disputed else marks)
        table.add_row(
            price.sku, _terms(price), _usd(price), str(price.unit), str(price.as_of), _short(price.source), mark
        )
    _print(table, stream)


def show_offers(book: PriceBook, offers: Sequence[Offer], stream: TextIO) -> None:
    """Print the offers for a SKU, the prices of other sources below each, and the day the SKU is retired."""
    first = offers[0].price
    table = _table(f"{first.sku} on {book.as_of}", ("terms", "USD", "per", "per GPU hour", "as of", "source"))
    for offer in offers:
        price, per_gpu = offer.price, offer.price.usd_per_gpu_h
        gpu = "" if per_gpu is None else amount_text(per_gpu.quantize(Decimal("0.0001")))
        table.add_row(_terms(price), _usd(price), str(price.unit), gpu, str(price.as_of), price.source)
        others = [("other source", each) for each in offer.others]
        if price.list_price and price.origin is PriceOrigin.NEGOTIATED:
            others.insert(0, ("list price", price.list_price))
        for label, other in others:
            table.add_row(f"  {label}", _usd(other), str(other.unit), "", str(other.as_of), other.source)
    _print(table, stream)
    stream.writelines(f"{line}\n" for line in _remarks(first))


def show_disagreements(disagreements: Sequence[Disagreement], limit: int, stream: TextIO) -> None:
    """Print the prices that sources disagree on, largest difference first."""
    headings = ("SKU", "terms", "difference", "USD", "as of", "source")
    table = _table(f"{len(disagreements)} prices that sources disagree on", headings)
    for disagreement in disagreements[:limit]:
        spread = "" if disagreement.spread is None else f"{disagreement.spread:.1%}"
        for index, price in enumerate(disagreement.prices):
            sku, terms, difference = (price.sku, _terms(price), spread) if not index else ("", "", "")
            table.add_row(sku, terms, difference, _usd(price), str(price.as_of), _short(price.source))
    _print(table, stream)


def show_replay(replay: PriceReplay, stream: TextIO) -> None:
    """Print each price on both days, its change, and the prices that no longer exist."""
    headings = ("SKU", "terms", "then", "now", "change", "as of", "source")
    table = _table(f"prices of {replay.then} on {replay.today}", headings)
    for each in replay.prices:
        before, now = each.before, each.now
        share = "" if each.change_share is None or not each.has_moved else f"{each.change_share:+.1%}"
        days = f"{before.as_of}, {now.as_of}"
        table.add_row(before.sku, _terms(before), _usd(before), _usd(now), share, days, _short(now.source))
    _print(table, stream)
    stream.writelines(f"gone: {each.before.sku}, {_terms(each.before)}: {each.reason}\n" for each in replay.gone)
    stream.write(f"{len(replay.moved)} of {len(replay.prices)} changed, {len(replay.gone)} gone; {replay.digest}\n")


def _remarks(price: Price) -> list[str]:
    lines = []
    if price.hardware is not None and price.hardware.gpus:
        lines.append(f"{price.hardware.gpus} x {price.hardware.gpu or 'GPU'}")
    if price.tiers:
        steps = ", ".join(f"above {amount_text(tier.above)}: {amount_text(tier.usd)}" for tier in price.tiers)
        lines.append(f"tiers ({price.tier_rule}): {steps}")
    if price.retirement is not None:
        successor = f", successor {price.retirement.successor}" if price.retirement.successor else ""
        lines.append(f"retired on {price.retirement.on}{successor} ({price.retirement.source})")
    return [*lines, price.note] if price.note else lines


def _terms(price: Price) -> str:
    meter = "" if price.meter is Meter.WHOLE else f" {price.meter}"
    return f"{price.term}{meter}{'' if price.origin is PriceOrigin.LIST else f' ({price.origin})'}"


def _usd(price: Price) -> str:
    low, high = price.low_usd, price.high_usd
    bounds = "" if low is None or high is None else f" ({_text(low)}-{_text(high)})"
    return f"{amount_text(price.usd)}{bounds}{'+' if price.tiers else ''}"


_STEP = Decimal("0.0001")
"""What is left of an amount by the day; a smaller amount than its half is written out."""


def _text(amount: Decimal) -> str:
    return amount_text(amount.quantize(_STEP) or amount)


def _short(source: str) -> str:
    return source if len(source) <= SOURCE_LENGTH else f"{source[: SOURCE_LENGTH - 1]}…"


def _table(title: str, headings: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in headings:
        right = heading in ("USD", "then", "now", "change", "difference", "per GPU hour")
        table.add_column(heading, justify="right" if right else "left", no_wrap=heading in ("SKU", "as of", "USD"))
    return table


def _print(table: Table, stream: TextIO) -> None:
    Console(file=stream, highlight=False).print(table)
