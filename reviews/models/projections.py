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
    service times replaced the assumed ones, `changes` what moved then. `widened_by` is how many times as wide the
    ranges of its yearly costs became facts, `widened_on` how many billed months asked for that; None where they are as
    projected.
    """

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="projections")
    number = models.PositiveIntegerField()
    projection = models.ForeignKey(CostProjection, on_delete=models.PROTECT, related_name="+")
    option = models.CharField(max_length=OPTION_CHARS_MAX)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, related_name="+")
    changes = models.JSONField(default=dict)
    widened_by = models.DecimalField(max_digits=16, decimal_places=4, null=True)
    widened_on = models.PositiveIntegerField(null=True)
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
            models.CheckConstraint(
                name="widening_is_whole_and_never_narrows",
                condition=Q(widened_by__isnull=True, widened_on__isnull=True) | Q(widened_by__gt=1, widened_on__gte=1),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.request} projection {self.number}"
