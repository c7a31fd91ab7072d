"""The lock of the head of the audit trail. It is the last lock that a write takes, and it holds until the end."""

from django.db import connection, transaction

CHAIN_LOCK = 0x57656967  # an arbitrary number, unique among advisory locks


def lock_trail() -> None:
    """Lock the head of the trail until the transaction ends; raise TransactionManagementError outside of one."""
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("Audit events are written inside the transaction they describe.")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])
