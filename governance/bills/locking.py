"""The lock of bills. A bill is stored, and months are posted, one at a time."""

from django.db import connection

BILLS_LOCK = 0x62696C6C  # an arbitrary number, unique among advisory locks


def lock_bills() -> None:
    """Wait until no bill is being stored and no month posted; no other starts until this transaction ends.

    This comes before the locks of accounts and of the audit trail.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [BILLS_LOCK])
