"""Findings: problems that the system detected and that a person must look into."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from governance.findings.enums import FindingState, Severity

IS_OPEN = Q(state=FindingState.OPEN.value)
"""Selects the findings that somebody must look into."""


class Finding(models.Model):
    """A finding: `subject` names the affected object, `source` the place where the problem was detected.

    `kind` is a slug like `budget.overrun`; a problem is raised once with its `key`, a recurrence has a new key.
    """

    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=200)
    text = models.TextField()
    severity = models.CharField(max_length=6, choices=Severity.choices)
    source = models.CharField(max_length=200, blank=True)
    key = models.CharField(max_length=160, unique=True)
    state = models.CharField(max_length=6, choices=FindingState.choices, default=FindingState.OPEN)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="findings")
    due_on = models.DateField(null=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    closing_note = models.TextField(blank=True)

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["id"], name="open_findings", condition=IS_OPEN),
            models.Index(fields=["owner", "due_on", "opened_at"], name="open_findings_of_owner", condition=IS_OPEN),
        ]
        constraints = [
            models.CheckConstraint(name="known_severity", condition=Q(severity__in=Severity.values)),
            models.CheckConstraint(
                name="closed_finding_says_when_and_by_whom",
                condition=Q(state=FindingState.OPEN, closed_at__isnull=True, closed_by__isnull=True)
                | Q(state=FindingState.CLOSED, closed_at__isnull=False, closed_by__isnull=False)
                # No person closes a finding that no longer applies; then the note gives the reason.
                | Q(state=FindingState.CLOSED, closed_at__isnull=False) & ~Q(closing_note=""),
            ),
        ]

    def __str__(self) -> str:
        return f"FND-{self.pk}"
