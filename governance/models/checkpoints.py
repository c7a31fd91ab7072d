"""Checkpoints of the audit trail: its head, signed and written down, so that a trail cut short contradicts them."""

from django.db import models
from django.db.models import Q


class Checkpoint(models.Model):
    """The first `count` events of the trail, whose last has the hash `head`; append-only (a trigger holds that)."""

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
