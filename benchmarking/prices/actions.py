"""Writes of prices: finance and platform leads publish and withdraw price lists and contracts."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import connection, transaction

from benchmarking.prices.models import NAME_CHARS_MAX, PriceSource
from benchmarking.prices.queries import sources_in_force
from benchmarking.prices.rules import check_price
from governance.audit.actions import record as audit
from governance.people.domain.reasons import check_reason
from governance.people.queries.people import person_of
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid, WrongState
from weighbridge.costs.prices.published import read_published

PRICES_LOCK = 0x7072696365  # Arbitrary, but unique among the advisory locks.


def publish(*, text: str, by: User, now: datetime) -> PriceSource:
    """Publish a price list or a contract; it replaces the source of the same name. The same content changes nothing."""
    check_price(person_of(by))
    read = read_published(text)
    if not 1 <= len(read.name) <= NAME_CHARS_MAX:
        raise Invalid(f"A source needs a name of 1 to {NAME_CHARS_MAX} characters.", field="name")
    with transaction.atomic():
        _lock_prices()
        current = next(
            (source for source in sources_in_force() if (source.kind, source.name) == (read.kind, read.name)), None
        )
        if current is not None and current.content == text:
            return current
        source = PriceSource.objects.create(
            kind=read.kind, name=read.name, content=text, published_by=by, published_at=now
        )
        details = {"kind": read.kind, "name": read.name, "prices": len(read.prices), "rates": len(read.rates)}
        audit.record(
            kind="prices.published",
            by=by,
            subject=("price source", str(source.pk)),
            details={**details, "digest": digest_of(text)},
            now=now,
        )
    return source


def withdraw(*, source: PriceSource, reason: str, by: User, now: datetime) -> PriceSource:
    """Withdraw a source for a reason; prices already pinned from it do not change."""
    check_price(person_of(by))
    check_reason(reason)
    with transaction.atomic():
        _lock_prices()
        if source not in sources_in_force():
            raise WrongState(f"{source.name} is no longer in force: it was withdrawn or replaced.")
        empty = PriceSource.objects.create(
            kind=source.kind, name=source.name, content="", published_by=by, published_at=now
        )
        audit.record(
            kind="prices.withdrawn",
            by=by,
            subject=("price source", str(source.pk)),
            reason=reason.strip(),
            details={"kind": source.kind, "name": source.name},
            now=now,
        )
    return empty


def _lock_prices() -> None:
    """Serialize concurrent publications of the same name."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PRICES_LOCK])
