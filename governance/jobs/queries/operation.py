"""Whether work goes on: what the banner on every page and the probes ask."""

from datetime import datetime, timedelta

from django.db.models import Q

from governance.jobs.models import OutboxMessage, Pulse

TICK, BROKER = "tick", "broker"
PATIENCE = timedelta(seconds=60)


def is_delayed(*, now: datetime) -> bool:
    """True when something due was left lying for a minute, or the tick that finds such things was not seen for as long.

    And at once when the tick did not reach the broker. One query. A pulse is the last sign of life of the tick, or the
    moment since when nobody takes what waits: both are bad news once they are old. An installation whose tick never ran
    is told by its messages that stay where they are.
    """
    then = now - PATIENCE
    silent = Pulse.objects.filter(Q(at__lt=then) | Q(name=BROKER)).values_list("pk")
    left_lying = OutboxMessage.objects.filter(OutboxMessage.claimable(now=then)).values_list("pk")
    return bool(silent.union(left_lying, all=True)[:1])
