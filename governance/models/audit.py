"""The audit trail: append-only and hash-chained; it holds text, not foreign keys, so live data never hinders it."""

from django.db import models


class AuditEvent(models.Model):
    """Who did what to what, when, and as what; `hash` covers the row and the one before it."""

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
        indexes = [models.Index(fields=["subject_type", "subject"])]

    def __str__(self) -> str:
        return f"{self.position} {self.kind}"
