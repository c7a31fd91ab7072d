"""Price sources that the organization publishes in addition to the shipped book. The latest of a name is in force."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from weighbridge.costs.prices.published import SourceKind

NAME_CHARS_MAX = 120


class PriceSource(models.Model):
    """One publication of a price list or a contract, verbatim. A row without content withdraws the name."""

    kind = models.CharField(max_length=8, choices=[(kind, kind) for kind in SourceKind])
    name = models.CharField(max_length=NAME_CHARS_MAX)
    content = models.TextField(blank=True)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    published_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["kind", "name", "-id"], name="price_source_latest")]
        constraints = [
            models.CheckConstraint(name="price_source_has_a_name", condition=~Q(name="")),
            models.CheckConstraint(name="price_source_kind_is_known", condition=Q(kind__in=list(SourceKind))),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"
