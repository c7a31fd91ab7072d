"""One tick at a time: one session of the database holds the lock, and every other tick stands by.

The server ends a session that says nothing for the lease, so that a holder that stands still or is cut off loses the
lock. Two ticks at once do no harm, but they do everything twice.
"""

from datetime import timedelta

from django.db import connection

TICK_LOCK = 0x7469636B  # an arbitrary number, unique among advisory locks
LEASE, TURNS = timedelta(seconds=10), 3


def lease_of(*, every: timedelta) -> timedelta:
    """For how long a holder that ticks so often may say nothing; without end for a tick that comes only once."""
    return max(LEASE, TURNS * every) if every else timedelta()


def take_tick_lock(*, lease: timedelta) -> bool:
    """Whether this session may tick: it holds the lock already, or has just taken it. Ask before each tick."""
    limit = str(round(lease.total_seconds() * 1000))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_lock(%s), set_config('idle_session_timeout', %s, false),"
            " set_config('idle_in_transaction_session_timeout', %s, false)",
            [TICK_LOCK, limit, limit],
        )
        return bool(cursor.fetchone()[0])


def release_tick_lock() -> None:
    """Let another session tick, however often this one has taken the lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock_all()")
