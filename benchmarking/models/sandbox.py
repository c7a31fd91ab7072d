"""What administrators chose about models of strangers where no bubblewrap stands; the latest choice holds."""

from django.conf import settings
from django.db import models
from django.db.models import Q

REASON_CHARS_MAX = 400


class SandboxChoice(models.Model):
    """One choice. Without any, files of requesters are measured behind bubblewrap alone."""

    may_go_without = models.BooleanField()
    reason = models.CharField(max_length=REASON_CHARS_MAX)
    chosen_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    chosen_at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(name="sandbox_choice_has_a_reason", condition=~Q(reason=""))]

    def __str__(self) -> str:
        return "may go without bubblewrap" if self.may_go_without else "bubblewrap alone"
