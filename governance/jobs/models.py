"""Tables and their database constraints."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple, Self

from django.db import models, transaction
from django.db.models import Exists, F, Min, OuterRef, Q, Subquery

from governance.jobs.enums import HELD, UNFINISHED, JobState
from weighbridge.core.masking import mask

ERROR_CHARS_MAX = 4_000
CHECK = "tracker.check"
BLOCKS = Q(state__in=[state.value for state in (*UNFINISHED, JobState.DEAD)])
"""Selects the messages for which later ones in their lane wait."""


class Due(NamedTuple):
    """A due row, with the fields that change when a worker claims or postpones it."""

    pk: int
    fence: int
    next_attempt_at: datetime
    lease_until: datetime | None


def storable(error: str) -> str:
    """The text of an error as it is stored: without secrets, and without the character that the database refuses."""
    return mask(error).replace("\x00", "")[:ERROR_CHARS_MAX]


IS_OPEN = Q(state__in=[JobState.QUEUED.value, *(state.value for state in HELD)])
"""Selects the rows that wait for a worker, or are held by one."""


def due_index(name: str) -> models.Index:
    """The index of unfinished rows of a leased table, by which the tick and workers find the due ones."""
    return models.Index(fields=["next_attempt_at"], name=name, condition=IS_OPEN)


class Leased(models.Model):
    """A job with state, attempts, lease and fencing token."""

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
        """Rows that a worker may claim at `now`: due rows, and rows whose lease has expired."""
        due = Q(state=JobState.QUEUED, next_attempt_at__lte=now)
        silent = Q(state__in=HELD, lease_until__lt=now)
        return (due | silent) & Q(attempts__lt=F("max_attempts"))

    @classmethod
    def exhausted(cls, *, now: datetime) -> Q:
        """Rows without attempts left whose lease has expired, or that are back in the queue."""
        silent = Q(state__in=HELD, lease_until__lt=now)
        return (silent | Q(state=JobState.QUEUED)) & Q(attempts__gte=F("max_attempts"))

    @classmethod
    def waiting(cls, *, now: datetime) -> list[models.QuerySet[Self]]:
        """Claimable and exhausted rows in the order of an index: the due ones, and those whose lease has expired."""
        rows: models.QuerySet[Self] = models.QuerySet(cls).filter(cls.claimable(now=now) | cls.exhausted(now=now))
        due = rows.filter(state=JobState.QUEUED, next_attempt_at__lte=now)
        silent = rows.filter(state__in=HELD, lease_until__lt=now)
        return [due.order_by("next_attempt_at", "pk"), silent.order_by("lease_until", "pk")]

    @classmethod
    def due(cls, *, now: datetime, limit: int, among: Q | None = None) -> list[Due]:
        """Rows that workers could claim at `now`, those due longest, oldest first; `among` restricts the rows."""
        claimable = cls.claimable(now=now) & (among or Q())
        waiting = [rows.filter(claimable).values_list(*Due._fields)[:limit] for rows in cls.waiting(now=now)]
        return [Due(*row) for row in sorted(row for rows in waiting for row in rows)[:limit]]

    @classmethod
    def claim(cls, *, pk: int, now: datetime, lease: timedelta) -> Self | None:
        """Claim the row for `lease`. Returns None if it is not due, is finished, or is held by another worker."""
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
        """Write `fields` if this worker still holds the row. Returns False and writes nothing if the lease was lost."""
        rows: models.QuerySet[Self] = models.QuerySet(type(self))
        return rows.filter(pk=self.pk, fence=self.fence, state__in=HELD).update(**fields) == 1

    def renew(self, *, now: datetime, lease: timedelta, **fields: Any) -> bool:
        """Renew the lease. Returns False if it was lost or the job was canceled."""
        return self.write(lease_until=now + lease, **fields)

    def hand_back(self, *, now: datetime, error: str, wait: timedelta = timedelta(0), **fields: Any) -> bool:
        """Return the row to the queue. It is due again after `wait`, or at once to be marked dead."""
        left = fields.get("max_attempts", self.max_attempts) - fields.get("attempts", self.attempts)
        at = now + wait if left > 0 else now
        return self.write(state=JobState.QUEUED, lease_until=None, next_attempt_at=at, error=storable(error), **fields)


class OutboxMessage(Leased):
    """An effect outside the database, caused by the request `asked_in` of the person `asked_by`.

    A lane is delivered in order, one at a time. `taken_at` is the last attempt.
    """

    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=160, unique=True)
    lane = models.CharField(max_length=120)
    payload = models.JSONField(default=dict)
    is_uncertain = models.BooleanField(default=False)
    asked_in = models.CharField(max_length=64, blank=True, default="", db_default="")
    asked_by = models.CharField(max_length=20, blank=True, default="", db_default="")
    taken_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(name="outbox_state_known", condition=Q(state__in=JobState.values))]
        indexes = [
            due_index("due_messages"),
            models.Index(
                fields=["lease_until"], name="held_messages", condition=Q(state__in=[state.value for state in HELD])
            ),
            models.Index(fields=["id"], name="unfinished_messages", condition=BLOCKS),
            models.Index(fields=["lane", "id"], name="lanes_of_messages", condition=BLOCKS),
            models.Index(fields=["id"], name="tracker_checks", condition=Q(kind=CHECK)),
            models.Index(fields=["asked_by", "kind", "taken_at"]),
        ]

    def __str__(self) -> str:
        return self.key

    @classmethod
    def claimable(cls, *, now: datetime) -> Q:
        """Claimable rows whose predecessors in their lane are all finished."""
        before = cls._default_manager.filter(lane=OuterRef("lane"), pk__lt=OuterRef("pk"))
        blocked = before.filter(BLOCKS)
        return super().claimable(now=now) & ~Q(Exists(blocked))

    @classmethod
    def turns(cls, *, now: datetime, limit: int, kinds: Collection[str]) -> list[int]:
        """The oldest claimable message of each person and of these kinds; who was served longest ago comes first."""
        served = cls._default_manager.filter(asked_by=OuterRef("asked_by"), kind=OuterRef("kind"))
        last = served.exclude(taken_at=None).order_by("-taken_at").values("taken_at")[:1]
        due = cls._default_manager.filter(cls.claimable(now=now), kind__in=kinds)
        groups = due.order_by().values("asked_by", "kind")
        heads = groups.annotate(oldest=Min("pk"), last=Subquery(last))
        return list(heads.order_by(F("last").asc(nulls_first=True), "oldest").values_list("oldest", flat=True)[:limit])


class Pulse(models.Model):
    """A named timestamp, written by the tick and read by pages, `/readyz` and `/metrics`."""

    name = models.CharField(max_length=60, unique=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name

    @classmethod
    def record(cls, *, name: str, at: datetime | None) -> None:
        """Set the timestamp; None deletes it."""
        cls.record_all({name: at})

    @classmethod
    def record_all(cls, times: Mapping[str, datetime | None]) -> None:
        """Set the timestamps by name in one statement; those that are None are deleted in another."""
        rows = [cls(name=name, at=at) for name, at in sorted(times.items()) if at is not None]
        if rows:
            cls._default_manager.bulk_create(rows, update_conflicts=True, unique_fields=["name"], update_fields=["at"])
        if len(rows) < len(times):
            cls._default_manager.filter(name__in=[name for name, at in times.items() if at is None]).delete()
