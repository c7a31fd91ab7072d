"""How many requests authorised models answered, as people and programs count them."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from reviews.models.requests import ReviewRequest
from reviews.models.scorecard import CHANNELS


class Traffic(models.Model):
    """The requests that an authorised model answered in a month; rows are never changed (a trigger), the
    latest counts.
    """

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="traffic")
    month = models.DateField()
    requests = models.BigIntegerField()
    channel = models.CharField(max_length=4, choices=CHANNELS)
    source = models.CharField(max_length=200, blank=True)
    supplied_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    supplied_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(name="traffic_is_of_a_month", condition=Q(month__day=1)),
            models.CheckConstraint(name="traffic_not_negative", condition=Q(requests__gte=0)),
            models.CheckConstraint(
                name="traffic_channel_known", condition=Q(channel__in=[name for name, _ in CHANNELS])
            ),
        ]
        indexes = [models.Index(fields=["request", "month"])]

    def __str__(self) -> str:
        return f"{self.request} {self.month:%Y-%m}"
