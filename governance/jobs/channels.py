"""Which messages to the same external system wait for each other after a refusal.

A payload names its `system` among several, and the `part` of it that it uses: what one part refuses, another may take.
"""

from datetime import datetime

from django.db.models import Q

from governance.jobs.enums import HELD, UNFINISHED, JobState, Reach
from governance.jobs.models import OutboxMessage

CHANNELS: dict[str, str] = {}
"""The channel of each kind of messages that has one."""
PROBES: set[str] = set()
"""The kinds that are delivered while the others of their channel are paused."""


def sent_to(channel: str, system: int | None) -> Q:
    """The messages of a channel to one system, or to the only one if they name none."""
    return _names("system", system) & Q(kind__in=[kind for kind, named in CHANNELS.items() if named == channel])


def in_the_way(message: OutboxMessage, now: datetime) -> OutboxMessage | None:
    """The message for which this one waits, or with which it pauses; None if there is none."""
    same_part = Q(payload__reach=Reach.KIND, kind=message.kind) & _names("part", message.payload.get("part"))
    alike = Q(payload__reach=Reach.CHANNEL) | same_part
    there = sent_to(CHANNELS[message.kind], message.payload.get("system"))
    others = OutboxMessage.objects.filter(alike, there).exclude(pk=message.pk)
    if message.kind in PROBES:
        told = others.filter(state=JobState.QUEUED, payload__told=True, next_attempt_at__gt=now)
        return told.order_by("-next_attempt_at").first()
    if "reach" in message.payload:  # two that met it at once: the older tries first, or they would wait for each other
        return others.filter(pk__lt=message.pk, state__in=[JobState.QUEUED, *HELD]).order_by("pk").first()
    return others.filter(state__in=UNFINISHED).order_by("-next_attempt_at").first()


def _names(what: str, value: int | None) -> Q:
    return Q(**{f"payload__{what}__isnull": True}) if value is None else Q(**{f"payload__{what}": value})
