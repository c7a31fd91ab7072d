"""The rulebook: policies, checklists and the metric catalog, written as drafts and published as immutable versions."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from governance.rulebook.enums import DocumentState


class Document(models.Model):
    """A versioned YAML document. A trigger prevents changes after publication."""

    name = models.SlugField(max_length=60)
    number = models.PositiveIntegerField()
    source = models.TextField()
    digest = models.CharField(max_length=71)
    state = models.CharField(max_length=10, choices=DocumentState.choices, default=DocumentState.DRAFT)
    written_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    written_at = models.DateTimeField()
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    published_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True
        constraints = [
            models.UniqueConstraint(fields=["name", "number"], name="one_%(class)s_number"),
            models.UniqueConstraint(
                fields=["name"], condition=Q(state=DocumentState.PUBLISHED), name="one_published_%(class)s"
            ),
            models.CheckConstraint(
                name="%(class)s_published_has_a_time",
                condition=Q(state=DocumentState.DRAFT, published_at__isnull=True)
                | (~Q(state=DocumentState.DRAFT) & Q(published_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="%(class)s_author_does_not_publish",
                condition=Q(published_by__isnull=True)
                | Q(written_by__isnull=True)
                | ~Q(published_by=models.F("written_by")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.number}"


class PolicyVersion(Document):
    """One version of the thresholds, the stages and the benchmark plan."""

    word, plural = "policy", "policies"


class ChecklistVersion(Document):
    """One version of the standard checklist."""

    word, plural = "checklist", "checklists"


class CatalogVersion(Document):
    """One version of the metric catalog. All versions have the same name."""

    word, plural = "catalog", "catalogs"
