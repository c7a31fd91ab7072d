"""Kept cost projections: the spec, and the result at the prices of that day, which the document pins."""

from django.conf import settings
from django.db import models
from django.db.models import Q

TITLE_CHARS_MAX = 160
LINK_FORM = r"^[A-Za-z0-9_-]{16,}$"


class CostProjection(models.Model):
    """One projection. A trigger prevents changes. Everybody who has the `token` may read it."""

    token = models.CharField(max_length=32, unique=True)
    title = models.CharField(max_length=TITLE_CHARS_MAX)
    spec = models.JSONField()
    document = models.JSONField()
    digest = models.CharField(max_length=71)
    kept_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    kept_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="projection_has_a_digest", condition=Q(digest__regex=r"^sha256:[0-9a-f]{64}$")),
            models.CheckConstraint(name="projection_has_a_token", condition=Q(token__regex=LINK_FORM)),
        ]
        indexes = [models.Index(fields=["digest"])]

    def __str__(self) -> str:
        return self.title
