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
    CANCELLED = "cancelled"


class Reach(StrEnum):
    """How far a refusal goes: this message, every message of its kind, or everything meant for the same other side.

    The message that met a far-reaching one carries it in its payload. While it is unfinished it stands for the others:
    it alone is tried, they wait with it or pause with it, so that a hundred messages do not ask the same in vain.
    """

    MESSAGE, KIND, CHANNEL = "message", "kind", "channel"


HELD = (JobState.CLAIMED, JobState.RUNNING)
ENDED_BADLY = (JobState.FAILED, JobState.DEAD, JobState.CANCELLED)
UNFINISHED = (JobState.QUEUED, JobState.CLAIMED, JobState.RUNNING, JobState.PAUSED)


class DocumentState(TextChoices):
    """A rulebook document is written as a draft, published once, and later retired."""

    DRAFT = "draft"
    PUBLISHED = "published"
    RETIRED = "retired"


class ChangeState(TextChoices):
    """A change of what binds people waits for a second person; every other state is an end."""

    PENDING = "pending"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Tier(TextChoices):
    """Materiality: exposure times purpose."""

    T1 = "T1", "T1 · customer-facing or financial"
    T2 = "T2", "T2 · internal decision support"
    T3 = "T3", "T3 · experiment"


class Unit(TextChoices):
    """What a budget account counts."""

    USD = "USD", "USD"
    GPU_H = "gpu_h", "GPU hours"


class Severity(TextChoices):
    """How much a finding matters."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class FindingState(TextChoices):
    """A finding waits for somebody, or is closed; it never opens again."""

    OPEN = "open"
    CLOSED = "closed"


class BillKind(TextChoices):
    """What a file of costs or use is."""

    FOCUS = "focus", "Bill in the FOCUS format"
    SLURM = "slurm", "Accounting of Slurm (sacct)"
    KUBERNETES = "kubernetes", "GPU use of a Kubernetes cluster"


class BillOrigin(TextChoices):
    """Through which door a bill came."""

    UPLOAD = "upload", "uploaded"
    FOLDER = "folder", "watched folder"
    COMMAND = "command", "command line"
    API = "api", "API"
    GENERATED = "generated", "generated"
