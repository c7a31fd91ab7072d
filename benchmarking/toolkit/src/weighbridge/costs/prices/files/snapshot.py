"""A price snapshot: exactly the prices that a calculation used, to reproduce it and to find later price changes."""

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from weighbridge.core.canonical import digest_of
from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.book import SCHEMA, PriceBook
from weighbridge.costs.prices.files.exact_yaml import date_at
from weighbridge.costs.prices.files.price_document import record_of
from weighbridge.costs.prices.price import Price, amount_text


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """Prices as used on a day, one for each thing, in the order of their SKUs."""

    as_of: date
    prices: tuple[Price, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the content."""
        return digest_of(self._content())

    def as_document(self) -> dict[str, Any]:
        """The document `weighbridge.prices/1`, with its digest."""
        return {**self._content(), "digest": self.digest}

    def _content(self) -> dict[str, Any]:
        rows = [price.as_document() for price in self.prices]
        return {"schema": SCHEMA, "as_of": self.as_of.isoformat(), "prices": rows}


def snapshot(prices: Iterable[Price], *, as_of: date) -> Snapshot:
    """Return the snapshot of the prices used; raise Invalid if one thing was used at two prices."""
    by_key: dict[Any, Price] = {}
    for price in prices:
        if by_key.setdefault(price.key, price) != price:
            raise Invalid(f"{price.sku} is used at two prices for {price.term}, {price.meter}.", field="prices")
    return Snapshot(as_of, tuple(by_key[key] for key in sorted(by_key)))


def read_snapshot(document: object) -> Snapshot:
    """Read a snapshot; raise Invalid with the path of the invalid key, and if the digest does not match the content."""
    reader = Reader(document)
    reader.constant("schema", SCHEMA)
    as_of = date_at(reader, "as_of")
    found = snapshot(reader.items("prices", partial(record_of, Price)), as_of=as_of)
    digest = reader.text("digest")
    reader.close()
    if digest != found.digest:
        raise Invalid(
            f"The snapshot was changed: its digest is {found.digest}, but it states {digest}.", field="digest"
        )
    return found


@dataclasses.dataclass(frozen=True)
class Moved:
    """The same price then and now."""

    before: Price
    now: Price

    @property
    def change_usd(self) -> Decimal:
        """The increase per unit in US dollars; negative for a decrease."""
        return self.now.usd - self.before.usd

    @property
    def change_share(self) -> Decimal | None:
        """The change relative to the old price; None if that was 0."""
        return self.change_usd / self.before.usd if self.before.usd else None

    @property
    def has_moved(self) -> bool:
        """Whether the price or one of its tiers has changed."""
        return (self.before.usd, self.before.tiers) != (self.now.usd, self.now.tiers)

    def as_document(self) -> dict[str, Any]:
        """Return both prices with their sources and dates, and the difference."""
        share = self.change_share
        return {
            **_thing(self.before),
            "unit": str(self.before.unit),
            "has_moved": self.has_moved,
            "before": _point(self.before),
            "now": _point(self.now),
            "change_usd": amount_text(self.change_usd),
            "change_share": None if share is None else amount_text(share.quantize(Decimal("0.0001"))),
        }


@dataclasses.dataclass(frozen=True)
class Gone:
    """A price that today's book does not have, and the reason."""

    before: Price
    reason: str

    def as_document(self) -> dict[str, Any]:
        """Return the old price and the reason."""
        return {**_thing(self.before), "before": _point(self.before), "reason": self.reason}


@dataclasses.dataclass(frozen=True)
class PriceReplay:
    """Today's prices for a snapshot: those that still exist, changed or not, and those that do not."""

    digest: str
    then: date
    today: date
    prices: tuple[Moved, ...]
    gone: tuple[Gone, ...]

    @property
    def moved(self) -> tuple[Moved, ...]:
        """The changed prices, the largest share first."""
        found = (each for each in self.prices if each.has_moved)
        return tuple(sorted(found, key=lambda each: -abs(each.change_share or Decimal(0))))

    def as_document(self) -> Mapping[str, Any]:
        """Return the document in JSON's own types."""
        return {
            "snapshot": self.digest,
            "then": self.then.isoformat(),
            "today": self.today.isoformat(),
            "prices": [each.as_document() for each in self.prices],
            "gone": [each.as_document() for each in self.gone],
        }


def replay(then: Snapshot, book: PriceBook) -> PriceReplay:
    """Look up each price of the snapshot in a book, by SKU, term and meter."""
    prices, gone = [], []
    for before in then.prices:
        try:
            now = book.find(before.sku, term=before.term, meter=before.meter)
        except Invalid as refused:
            gone.append(Gone(before, refused.reason))
            continue
        if now.unit is before.unit:
            prices.append(Moved(before, now))
        else:
            gone.append(Gone(before, f"Its unit was {before.unit} and is now {now.unit}."))
    return PriceReplay(then.digest, then.as_of, book.as_of, tuple(prices), tuple(gone))


def _thing(price: Price) -> dict[str, Any]:
    return {"sku": price.sku, "term": str(price.term), "meter": str(price.meter)}


def _point(price: Price) -> dict[str, Any]:
    return {
        "usd": amount_text(price.usd),
        "as_of": price.as_of.isoformat(),
        "source": price.source,
        "origin": str(price.origin),
    }
