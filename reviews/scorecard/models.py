"""Tables of the KPIs of models and their quarterly actuals."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from governance.inventory.models import ModelAsset
from reviews.scorecard.domain.scorecard import KpiDirection

BETTERS = [(direction.value, direction.value) for direction in KpiDirection]
CHANNELS = [("form", "typed in"), ("csv", "from a CSV file"), ("api", "by a program")]
User = settings.AUTH_USER_MODEL


class Kpi(models.Model):
    """A business KPI of a model and the technical metric behind it; `retired_at` is set when it is retired."""

    asset = models.ForeignKey(ModelAsset, on_delete=models.PROTECT, related_name="kpis")
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    metric = models.CharField(max_length=120)
    unit = models.CharField(max_length=60)
    better = models.CharField(max_length=6, choices=BETTERS)
    target = models.DecimalField(max_digits=25, decimal_places=9)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    data_source = models.CharField(max_length=200)
    how_estimated = models.TextField()
    set_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    set_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["asset", "slug"]
        constraints = [
            models.UniqueConstraint(fields=["asset", "slug"], name="one_kpi_per_model_and_slug"),
            models.CheckConstraint(name="better_known", condition=Q(better__in=[each.value for each in KpiDirection])),
        ]

    def __str__(self) -> str:
        return self.name


class KpiActual(models.Model):
    """An actual of a KPI in a quarter. The latest row counts. A database trigger prevents changes."""

    kpi = models.ForeignKey(Kpi, on_delete=models.PROTECT, related_name="actuals")
    quarter = models.CharField(max_length=6)
    value = models.DecimalField(max_digits=25, decimal_places=9)
    target = models.DecimalField(max_digits=25, decimal_places=9)
    channel = models.CharField(max_length=4, choices=CHANNELS)
    source = models.CharField(max_length=200, blank=True)
    supplied_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    supplied_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="actual_quarter_is_written_2026Q4", condition=Q(quarter__regex=r"^\d{4}Q[1-4]$")
            ),
            models.CheckConstraint(name="channel_known", condition=Q(channel__in=[name for name, _ in CHANNELS])),
        ]
        indexes = [models.Index(fields=["kpi", "quarter"])]

    def __str__(self) -> str:
        return f"{self.kpi} {self.quarter}"
