"""Closed vocabularies stored in the database; changing one needs a migration."""

from enum import StrEnum

from django.db.models import TextChoices


class JobState(TextChoices):
    """Where a leased row of work stands; a run and an outbox message share the words."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    PAUSED = "paused"
    DEAD = "dead"
    CANCELED = "canceled"


class Reach(StrEnum):
    """How far a refusal goes: this message, every message of its kind, or everything meant for the same other side.

    The message that met a far-reaching one carries it in its payload. While it is unfinished it stands for the others:
    it alone is tried, they wait with it or pause with it, so that a hundred messages do not ask the same in vain.
    """

    MESSAGE, KIND, CHANNEL = "message", "kind", "channel"


HELD = (JobState.CLAIMED, JobState.RUNNING)
ENDED_BADLY = (JobState.FAILED, JobState.DEAD, JobState.CANCELED)
UNFINISHED = (JobState.QUEUED, JobState.CLAIMED, JobState.RUNNING, JobState.PAUSED)
