"""The last report of each cluster with its workloads, and the usage that gateways report, with their constraints."""

from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from governance.people.models import Team
from reviews.requests.enums import ENVIRONMENTS

DIGEST_OR_NOTHING = r"^(sha256:[0-9a-f]{64})?$"


class ClusterReport(models.Model):
    """The last report of a cluster in an environment. Only its `reporter` and leads may replace it.

    `digest` is that of the workloads: a report of the same workloads has the same.
    """

    cluster = models.CharField(max_length=80)
    environment = models.CharField(max_length=10, choices=ENVIRONMENTS)
    observed_at = models.DateTimeField()
    received_at = models.DateTimeField()
    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=71)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cluster", "environment"], name="one_report_of_a_cluster"),
            models.CheckConstraint(
                name="observed_before_it_was_received", condition=Q(observed_at__lte=F("received_at"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cluster} ({self.environment})"


class ObservedWorkload(models.Model):
    """A workload of the last report of its cluster; the fields are those of the report.

    `team` is the team that the owner's label names, or else the team that registered the artifact. `first_seen_at` is
    the first report in a row that had this workload.
    """

    report = models.ForeignKey(ClusterReport, on_delete=models.CASCADE, related_name="workloads")
    namespace = models.CharField(max_length=200, blank=True)
    name = models.CharField(max_length=200)
    image = models.CharField(max_length=500, blank=True)
    image_digest = models.CharField(max_length=71, blank=True)
    model_digests = ArrayField(models.CharField(max_length=71), default=list)
    since = models.DateTimeField(null=True)
    first_seen_at = models.DateTimeField()
    replicas = models.PositiveIntegerField()
    gpus = models.JSONField(default=dict)
    owner = models.CharField(max_length=200, blank=True)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="image_digest_is_sha256_or_unknown", condition=Q(image_digest__regex=DIGEST_OR_NOTHING)
            ),
            models.CheckConstraint(name="workload_has_a_replica", condition=Q(replicas__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    @property
    def running_since(self) -> datetime:
        """When it began, or else when it was first reported."""
        return self.since or self.first_seen_at


class UsageGateway(models.Model):
    """A gateway of an environment. Only its `reporter` and leads may replace its lines.

    `digest` is that of its last report.
    """

    name = models.CharField(max_length=80)
    environment = models.CharField(max_length=10, choices=ENVIRONMENTS)
    received_at = models.DateTimeField()
    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=71)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["name", "environment"], name="one_gateway_of_a_name")]

    def __str__(self) -> str:
        return f"{self.name} ({self.environment})"


class UsageRecord(models.Model):
    """The usage of one model on one day (UTC), as its gateway counted it; `usd` is None if nobody priced it."""

    gateway = models.ForeignKey(UsageGateway, on_delete=models.CASCADE, related_name="records")
    day = models.DateField()
    digest = models.CharField(max_length=71, blank=True)
    model = models.CharField(max_length=200, blank=True)
    requests = models.BigIntegerField()
    input_tokens = models.BigIntegerField()
    cached_tokens = models.BigIntegerField()
    output_tokens = models.BigIntegerField()
    usd = models.DecimalField(max_digits=24, decimal_places=12, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["gateway", "day", "digest", "model"], name="one_record_of_a_day_and_model"),
            models.CheckConstraint(name="digest_or_model", condition=Q(digest="") ^ Q(model="")),
            models.CheckConstraint(
                name="usage_is_not_negative",
                condition=Q(requests__gte=0, cached_tokens__gte=0, output_tokens__gte=0)
                & Q(input_tokens__gte=F("cached_tokens"))
                & (Q(usd__isnull=True) | Q(usd__gte=0)),
            ),
        ]
        indexes = [models.Index(fields=["day"])]

    def __str__(self) -> str:
        return f"{self.model or self.digest} on {self.day}"
