"""Promise 6: any byte flipped in a copy of the table of events is found, and the event it stands in is named.

The copy is the table as PostgreSQL writes it out, and it is read back after each flip. A copy that cannot even be read
is found as well: PostgreSQL names its line. The long form flips a bit of every byte, the short form of one in twenty.
"""

import random
import re
from datetime import datetime, timedelta

import psycopg
import pytest
from django.db import connection, transaction

from governance.audit.actions import record as audit
from governance.audit.models import AuditEvent
from governance.audit.queries.trail import first_broken
from tests.factories.people import make_cast
from tests.integration.conftest import installation, now, signing_key_pem
from tests.promises import harness_report
from tests.promises.tickets import LONG

__all__ = ["installation", "now", "signing_key_pem"]
pytestmark = pytest.mark.django_db

TABLE = AuditEvent._meta.db_table
COLUMNS = ", ".join(field.column for field in AuditEvent._meta.concrete_fields if not field.primary_key)
SAID = (
    {"before": "draft", "after": "evidence", "revision": 1},
    {"amount": "-12000.50", "unit": "USD", "share": 0.25, "is_big": True, "none": None},
    {"names": ["Åsa", 'quote " and \\ backslash', "tab\tand\nnew line"], "inner": {"deep": {"er": [1, 2, 3]}}},
    {},
)
FAR = 1 if LONG else 20


@pytest.fixture
def copy(now: datetime) -> bytes:
    """The events as PostgreSQL writes them out; from here on the table that is asked is a copy that may be changed."""
    author = make_cast(now=now).author
    with transaction.atomic():
        for number, details in enumerate(SAID):
            audit.record(
                kind="test.event",
                by=author if number % 2 else None,
                subject=("thing", f"t{number}"),
                details=details,
                reason="Because.\n\tTwice." if number % 2 else "",
                now=now + timedelta(microseconds=number),
            )
    with connection.cursor() as cursor:
        # A temporary table hides the one of the same name, and has no trigger.
        cursor.execute(f"CREATE TEMPORARY TABLE {TABLE} (LIKE public.{TABLE} INCLUDING IDENTITY) ON COMMIT DROP")
        with cursor.copy(f"COPY (SELECT {COLUMNS} FROM public.{TABLE} ORDER BY position) TO STDOUT") as out:
            written = b"".join(bytes(part) for part in out)
    load(written)
    return written


def load(written: bytes) -> None:
    """Put this in the place of the copy."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {TABLE}")
        with cursor.copy(f"COPY {TABLE} ({COLUMNS}) FROM STDIN") as into:
            into.write(written)


def told() -> list[tuple[object, ...]]:
    return list(AuditEvent.objects.order_by("position", "hash").values_list(*COLUMNS.split(", ")))


def named(changed: bytes) -> int | None:
    """The event that is found to be wrong; None where all is well."""
    try:
        load(changed)
    except (psycopg.DataError, psycopg.IntegrityError) as error:
        return int(re.findall(r"COPY \w+, line (\d+)", error.diag.context or "")[0])
    broken = first_broken()
    return None if broken is None else broken[0]


def test_the_copy_is_whole_and_a_copy(copy: bytes) -> None:
    assert first_broken() is None
    assert AuditEvent.objects.count() == copy.count(b"\n") > len(SAID)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM public.{TABLE}")
        assert cursor.fetchone() == (AuditEvent.objects.count(),)


def test_any_byte_flipped_is_found_and_named(copy: bytes) -> None:
    dice, whole = random.Random(6), told()
    flipped, found, elsewhere = 0, 0, {}
    for place in range(dice.randrange(FAR), len(copy), FAR):
        changed = bytearray(copy)
        changed[place] ^= 1 << dice.randrange(8)
        event = copy[:place].count(b"\n") + 1
        at = named(bytes(changed))
        if at is None and told() == whole:
            continue  # spelled in another way, and the same: +00 and -00 are one time zone
        flipped += 1
        found += at is not None
        calls_itself = re.match(rb"\d+", bytes(changed).split(b"\n")[event - 1])
        if at not in {event, event + 1, int(calls_itself[0]) if calls_itself else event}:
            elsewhere[place] = (event, at)
    assert elsewhere == {}
    assert found == flipped > len(copy) // FAR - len(copy) // (10 * FAR) - 2
    harness_report.tell(
        "bytes", __file__, what="a bit of each byte", events=len(whole), flipped=flipped, found=found, named=found
    )
