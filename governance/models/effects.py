"""Effects outside the database: outbox messages, written in the transaction that wants them; and answered POSTs."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from governance.enums import UNFINISHED, JobState
from governance.models.leases import Leased


class OutboxMessage(Leased):
    """Something that must happen outside; messages of one lane are delivered one at a time, in order.

    `asked_in` is the identifier of the request that wanted it.
    """

    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=160, unique=True)
    lane = models.CharField(max_length=120)
    payload = models.JSONField(default=dict)
    is_uncertain = models.BooleanField(default=False)
    asked_in = models.CharField(max_length=64, blank=True, default="", db_default="")

    class Meta:
        constraints = [models.CheckConstraint(name="outbox_state_known", condition=Q(state__in=JobState.values))]
        indexes = [models.Index(fields=["state", "next_attempt_at"]), models.Index(fields=["lane", "id"])]

    def __str__(self) -> str:
        return self.key

    @classmethod
    def claimable(cls, *, now: datetime) -> Q:
        """As for every leased row, and nothing before it in its lane is unfinished or dead."""
        before = cls._default_manager.filter(lane=OuterRef("lane"), pk__lt=OuterRef("pk"))
        blocked = before.filter(state__in=[*UNFINISHED, JobState.DEAD])
        return super().claimable(now=now) & ~Q(Exists(blocked))


class AnsweredPost(models.Model):
    """The first answer to a POST that carried an Idempotency-Key; repeats get the same answer."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=120)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    content_type = models.CharField(max_length=80, blank=True)
    body = models.BinaryField(default=b"")
    received_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="one_answer_per_key")]

    def __str__(self) -> str:
        return self.key
