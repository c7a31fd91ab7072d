"""The cost projections of a request, in the order in which they took each other's place."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from benchmarking.models import CostProjection, Run
from reviews.models.requests import ReviewRequest

OPTION_CHARS_MAX = 80


class RequestProjection(models.Model):
    """A projection that a request was judged by; the latest counts. Never changed (a trigger holds that).

    `option` is the one of the projection's options that the request asks for. `run` is the benchmark whose measured
    service times replaced the assumed ones, `changes` what moved then.
    """

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="projections")
    number = models.PositiveIntegerField()
    projection = models.ForeignKey(CostProjection, on_delete=models.PROTECT, related_name="+")
    option = models.CharField(max_length=OPTION_CHARS_MAX)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, related_name="+")
    changes = models.JSONField(default=dict)
    stated_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    stated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "number"], name="one_projection_per_number"),
            models.UniqueConstraint(fields=["request", "run"], name="one_projection_per_run"),
            models.CheckConstraint(
                name="projection_is_stated_or_redrawn",
                condition=Q(run__isnull=True, stated_by__isnull=False) | Q(run__isnull=False, stated_by__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.request} projection {self.number}"
