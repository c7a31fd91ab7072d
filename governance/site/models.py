"""Tables and their database constraints."""

from django.conf import settings
from django.db import models


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
        indexes = [models.Index(fields=["received_at"], name="answers_by_age")]

    def __str__(self) -> str:
        return self.key
