"""Leased rows: work that is never lost and never done twice at once.

A worker claims a row for a while and gets a fencing token; every later write names that token, so a worker that slept
past its lease writes nothing. Whoever finds an expired lease may claim the row again, until its attempts are used up.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self

from django.db import models, transaction
from django.db.models import F, Q

from governance.domain.masking import mask
from governance.enums import HELD, JobState


class Due(NamedTuple):
    """A row a worker could take, and what changes once somebody takes it or puts it off."""

    pk: int
    fence: int
    next_attempt_at: datetime
    lease_until: datetime | None


class Leased(models.Model):
    """A row of work with state, attempts, lease and fence."""

    state = models.CharField(max_length=12, choices=JobState.choices, default=JobState.QUEUED)
    attempts = models.PositiveSmallIntegerField(default=0)
    max_attempts = models.PositiveSmallIntegerField(default=3)
    fence = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    next_attempt_at = models.DateTimeField()
    error = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True

    @classmethod
    def claimable(cls, *, now: datetime) -> Q:
        """Rows a worker may take at `now`: due, or held by a worker that went silent."""
        due = Q(state=JobState.QUEUED, next_attempt_at__lte=now)
        silent = Q(state__in=HELD, lease_until__lt=now)
        return (due | silent) & Q(attempts__lt=F("max_attempts"))

    @classmethod
    def exhausted(cls, *, now: datetime) -> Q:
        """Rows whose last allowed worker went silent, or that came back to the queue with no attempt left."""
        silent = Q(state__in=HELD, lease_until__lt=now)
        return (silent | Q(state=JobState.QUEUED)) & Q(attempts__gte=F("max_attempts"))

    @classmethod
    def due(cls, *, now: datetime, limit: int, among: Q | None = None) -> list[Due]:
        """What workers could take at `now`, oldest first; with `among`, of those rows alone."""
        rows = cls._default_manager.filter(cls.claimable(now=now), among or Q()).order_by("pk")
        return [Due(*row) for row in rows.values_list(*Due._fields)[:limit]]

    @classmethod
    def claim(cls, *, pk: int, now: datetime, lease: timedelta) -> Self | None:
        """Take the row for `lease`, or answer None because it is not due, is finished, or is another's."""
        with transaction.atomic():
            rows = cls._default_manager.filter(cls.claimable(now=now), pk=pk)
            row = rows.select_for_update(skip_locked=True, of=("self",)).first()
            if row is None:
                return None
            row.state, row.lease_until = JobState.CLAIMED, now + lease
            row.attempts, row.fence = row.attempts + 1, row.fence + 1
            row.save(update_fields=["state", "lease_until", "attempts", "fence"])
            return row

    def write(self, **fields: Any) -> bool:
        """Write `fields` if this worker still holds the row; False means the lease was lost and nothing was written."""
        rows: models.QuerySet[Self] = models.QuerySet(type(self))
        return rows.filter(pk=self.pk, fence=self.fence, state__in=HELD).update(**fields) == 1

    def renew(self, *, now: datetime, lease: timedelta, **fields: Any) -> bool:
        """Hold the row for another `lease`; False means it was lost or cancelled."""
        return self.write(lease_until=now + lease, **fields)

    def hand_back(self, *, now: datetime, error: str, wait: timedelta = timedelta(0), **fields: Any) -> bool:
        """Return the row to the queue, to be tried again after `wait`."""
        return self.write(
            state=JobState.QUEUED, lease_until=None, next_attempt_at=now + wait, error=mask(error)[:4000], **fields
        )
