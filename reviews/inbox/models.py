"""The table of reminders. A row is a reminder that was made; how it is delivered is another matter."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from governance.people.approvals.models import Change
from reviews.inbox.domain import ReminderKind
from reviews.requests.models import ReviewRequest

User = settings.AUTH_USER_MODEL
KINDS = [(kind.value, kind.value) for kind in ReminderKind]


class Reminder(models.Model):
    """One person is reminded, once, of one end. Rows never change (a trigger enforces this).

    `days_before` is None for an escalation. `in_place_of` is the absent person whose deputy is reminded.
    """

    kind = models.CharField(max_length=15, choices=KINDS)
    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, null=True, related_name="reminders")
    change = models.ForeignKey(Change, on_delete=models.PROTECT, null=True, related_name="+")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="reminders")
    in_place_of = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    due_at = models.DateTimeField()
    days_before = models.PositiveSmallIntegerField(null=True)
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["due_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                "kind",
                "request",
                "change",
                "person",
                "due_at",
                "days_before",
                name="each_reminder_is_made_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="reminder_is_about_one_thing",
                condition=Q(request__isnull=True, change__isnull=False, kind=ReminderKind.CHANGE)
                | (Q(request__isnull=False, change__isnull=True) & ~Q(kind=ReminderKind.CHANGE)),
            ),
        ]
        indexes = [models.Index(fields=["person", "due_at"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject[1]}"

    @property
    def subject(self) -> tuple[str, str]:
        """What the reminder is about, as in the audit trail."""
        return ("change", str(self.change)) if self.change_id else ("request", str(self.request))
