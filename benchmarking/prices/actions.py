"""Writes of prices: an organization's price lists and contracts, published and withdrawn by who answers for money."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import connection, transaction

from benchmarking.prices.models import NAME_CHARS_MAX, PriceSource
from benchmarking.prices.queries import current
from benchmarking.prices.rules import check_price
from governance.audit.actions import record as audit
from governance.people.queries.people import person_of
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid, WrongState
from weighbridge.costs.prices.published import read_published

REASON_CHARS_MAX = 400
PRICES_LOCK = 0x7072696365  # any number that nobody else locks


def publish(*, text: str, by: User, now: datetime) -> PriceSource:
    """Publish a price list or a contract in the place of what has its name; the same content again changes nothing."""
    check_price(person_of(by))
    read = read_published(text)
    if not 1 <= len(read.name) <= NAME_CHARS_MAX:
        raise Invalid(f"A source needs a name of 1 to {NAME_CHARS_MAX} characters.", field="name")
    with transaction.atomic():
        _one_at_a_time()
        held = next((each for each in current() if (each.kind, each.name) == (read.kind, read.name)), None)
        if held is not None and held.content == text:
            return held
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
    """Let a source hold no longer, with the reason; what was pinned from it stays pinned."""
    check_price(person_of(by))
    reason = reason.strip()
    if not 1 <= len(reason) <= REASON_CHARS_MAX:
        raise Invalid(f"Say why, in 1 to {REASON_CHARS_MAX} characters; the trail keeps it.", field="reason")
    with transaction.atomic():
        _one_at_a_time()
        if source not in current():
            raise WrongState(f"{source.name} does not hold any more: it was withdrawn or published anew.")
        empty = PriceSource.objects.create(
            kind=source.kind, name=source.name, content="", published_by=by, published_at=now
        )
        audit.record(
            kind="prices.withdrawn",
            by=by,
            subject=("price source", str(source.pk)),
            reason=reason,
            details={"kind": source.kind, "name": source.name},
            now=now,
        )
    return empty


def _one_at_a_time() -> None:
    """Two who publish one name at once do so one after the other."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [PRICES_LOCK])
