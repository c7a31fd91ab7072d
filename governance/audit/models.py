"""Tables and their database constraints."""

from django.db import models
from django.db.models import Q
from django.db.models.fields.json import KT


class AuditEvent(models.Model):
    """An event of the audit trail. `hash` covers the row and the hash of the row before it."""

    position = models.PositiveBigIntegerField(unique=True)
    kind = models.CharField(max_length=60)
    at = models.DateTimeField()
    actor_id = models.CharField(max_length=40, blank=True)
    actor = models.CharField(max_length=160)
    source = models.CharField(max_length=20)
    subject_type = models.CharField(max_length=40)
    subject = models.CharField(max_length=160)
    details = models.JSONField(default=dict)
    reason = models.TextField(blank=True)
    request_id = models.CharField(max_length=40, blank=True)
    previous_hash = models.CharField(max_length=71)
    hash = models.CharField(max_length=71, unique=True)

    class Meta:
        ordering = ["position"]
        indexes = [
            models.Index(
                fields=["subject_type", "subject", "position"],
                name="events_by_subject",
                opclasses=["varchar_ops", "varchar_pattern_ops", "int8_ops"],
            ),
            models.Index(
                fields=["kind", "position"], name="events_by_kind", opclasses=["varchar_pattern_ops", "int8_ops"]
            ),
            models.Index(
                KT("details__request"), "position", name="budget_events_by_request", condition=Q(subject_type="budget")
            ),
            models.Index(
                KT("details__before__owner"), name="models_by_former_owner", condition=Q(kind="model.registered")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position} {self.kind}"


class Checkpoint(models.Model):
    """A signed statement that the first `count` events end with the hash `head`. A trigger keeps it append-only."""

    count = models.PositiveBigIntegerField(unique=True)
    head = models.CharField(max_length=71)
    at = models.DateTimeField()
    key_id = models.CharField(max_length=71)
    signature = models.CharField(max_length=88)

    class Meta:
        ordering = ["count"]
        constraints = [models.CheckConstraint(name="checkpoint_of_something", condition=Q(count__gt=0))]

    def __str__(self) -> str:
        return f"after event {self.count}"
