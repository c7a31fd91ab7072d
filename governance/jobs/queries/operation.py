"""Whether work is delayed, for the banner on all pages and the probes."""

from datetime import datetime, timedelta

from django.db.models import Q

from governance.jobs.models import OutboxMessage, Pulse

TICK, BROKER = "tick", "broker"
PATIENCE = timedelta(seconds=60)


def is_delayed(*, now: datetime) -> bool:
    """True if due work or the tick is late by a minute, or if the tick could not reach the broker.

    One query.¶A pulse is the time of the last tick, or the time since when no worker takes due work. If the tick never
    ran, waiting messages show it.
    """
    then = now - PATIENCE
    silent = Pulse.objects.filter(Q(at__lt=then) | Q(name=BROKER)).values_list("pk")
    left_lying = OutboxMessage.objects.filter(OutboxMessage.claimable(now=then)).values_list("pk")
    return bool(silent.union(left_lying, all=True)[:1])
