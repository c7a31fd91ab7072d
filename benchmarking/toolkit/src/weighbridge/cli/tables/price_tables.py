"""Prices as tables for a terminal."""

import sys
from collections.abc import Sequence
from decimal import Decimal

from rich.console import Console
from rich.table import Table

from weighbridge.costs.prices.book import Disagreement, PriceBook
from weighbridge.costs.prices.files.snapshot import PriceReplay
from weighbridge.costs.prices.offers import Offer
from weighbridge.costs.prices.price import Meter, Price, PriceOrigin, amount_text

SOURCE_LENGTH = 44


def show_prices(book: PriceBook, prices: Sequence[Price], *, stale_days: int) -> None:
    """Write a line for each price; `old` marks a day too long ago, `two opinions` what sources disagree on."""
    apart = {each.key for each in book.disagreements()}
    table = _table(f"{len(prices)} prices on {book.as_of}", ("SKU", "bought", "USD", "for", "known on", "source", ""))
    for price in prices:
        marks = [f"old ({price.age_days(book.as_of)} days)"] if price.age_days(book.as_of) > stale_days else []
        marks += ["two opinions"] if price.key in apart else []
        table.add_row(
            price.sku,
            _bought(price),
            _usd(price),
            str(price.unit),
            str(price.as_of),
            _short(price.source),
            ", ".join(marks),
        )
    _print(table)


def show_offers(book: PriceBook, offers: Sequence[Offer]) -> None:
    """Write what a SKU can be bought by, other opinions under each price, and the day it is retired."""
    first = offers[0].price
    table = _table(f"{first.sku} on {book.as_of}", ("bought", "USD", "for", "a GPU hour", "known on", "source"))
    for offer in offers:
        price, per_gpu = offer.price, offer.price.usd_per_gpu_h
        gpu = "" if per_gpu is None else amount_text(per_gpu.quantize(Decimal("0.0001")))
        table.add_row(_bought(price), _usd(price), str(price.unit), gpu, str(price.as_of), price.source)
        beside = (
            [("list price", price.list_price)] if price.list_price and price.origin is PriceOrigin.NEGOTIATED else []
        )
        for words, other in (*beside, *(("other opinion", each) for each in offer.others)):
            table.add_row(f"  {words}", _usd(other), str(other.unit), "", str(other.as_of), other.source)
    _print(table)
    for line in _remarks(first):
        sys.stdout.write(f"{line}\n")


def show_disagreements(found: Sequence[Disagreement], limit: int) -> None:
    """Write the prices of each thing that sources put apart, widest first."""
    table = _table(
        f"{len(found)} prices that sources disagree on", ("SKU", "bought", "apart", "USD", "known on", "source")
    )
    for each in found[:limit]:
        spread = "" if each.spread is None else f"{each.spread:.1%}"
        for place, price in enumerate(each.prices):
            sku, bought, apart = (price.sku, _bought(price), spread) if not place else ("", "", "")
            table.add_row(sku, bought, apart, _usd(price), str(price.as_of), _short(price.source))
    _print(table)


def show_replay(found: PriceReplay) -> None:
    """Write what moved, with both days, and what is gone."""
    table = _table(
        f"prices of {found.then} on {found.today}", ("SKU", "bought", "then", "now", "moved", "known on", "source")
    )
    for each in found.prices:
        share = "" if each.change_share is None or not each.has_moved else f"{each.change_share:+.1%}"
        days = f"{each.before.as_of}, {each.now.as_of}"
        table.add_row(
            each.before.sku,
            _bought(each.before),
            _usd(each.before),
            _usd(each.now),
            share,
            days,
            _short(each.now.source),
        )
    _print(table)
    sys.stdout.writelines(f"gone: {each.before.sku}, {_bought(each.before)}: {each.reason}\n" for each in found.gone)
    sys.stdout.write(f"{len(found.moved)} of {len(found.prices)} moved, {len(found.gone)} gone; {found.digest}\n")


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


def _bought(price: Price) -> str:
    meter = "" if price.meter is Meter.WHOLE else f" {price.meter}"
    return f"{price.term}{meter}{'' if price.origin is PriceOrigin.LIST else f' ({price.origin})'}"


def _usd(price: Price) -> str:
    around = (
        "" if price.low_usd is None or price.high_usd is None else f" ({_text(price.low_usd)}-{_text(price.high_usd)})"
    )
    return f"{amount_text(price.usd)}{around}{'+' if price.tiers else ''}"


def _text(amount: Decimal) -> str:
    return amount_text(amount.quantize(Decimal("0.0001")))


def _short(source: str) -> str:
    return source if len(source) <= SOURCE_LENGTH else f"{source[: SOURCE_LENGTH - 1]}…"


def _table(title: str, headings: Sequence[str]) -> Table:
    table = Table(title=title, title_justify="left")
    for heading in headings:
        right = heading in ("USD", "then", "now", "moved", "apart", "a GPU hour")
        table.add_column(heading, justify="right" if right else "left", no_wrap=heading in ("SKU", "known on", "USD"))
    return table


def _print(table: Table) -> None:
    Console(file=sys.stdout, highlight=False).print(table)
