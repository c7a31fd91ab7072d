"""Closed vocabularies stored in the database; changing one needs a migration."""

from enum import StrEnum

from django.db.models import TextChoices


class JobState(TextChoices):
    """The state of a job. Runs and outbox messages share these states."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    PAUSED = "paused"
    DEAD = "dead"
    CANCELED = "canceled"


class Reach(StrEnum):
    """The scope of a refusal: this message, all of its kind to the same part of a system, or all of its channel.

    The message that met the refusal stores the scope in its payload. While it is unfinished, the others wait or pause
    with it, so that a hundred messages do not repeat the same failing call.
    """

    MESSAGE, KIND, CHANNEL = "message", "kind", "channel"


HELD = (JobState.CLAIMED, JobState.RUNNING)
ENDED_BADLY = (JobState.FAILED, JobState.DEAD, JobState.CANCELED)
UNFINISHED = (JobState.QUEUED, JobState.CLAIMED, JobState.RUNNING, JobState.PAUSED)
