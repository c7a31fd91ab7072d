"""The table of absences, with its database constraints."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from governance.absences.domain import Period
from governance.people.approvals.models import Change

User = settings.AUTH_USER_MODEL


class Absence(models.Model):
    """A person is away from `starts_on` to `ends_on`, both included, unless it was ended before.

    `reason` is given by whoever states the absence of another person. `confirmed_roles` are the roles that the two
    people of `change` gave the deputy for this absence.
    """

    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="absences")
    deputy = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    starts_on = models.DateField()
    ends_on = models.DateField()
    reason = models.TextField(blank=True)
    stated_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    stated_at = models.DateTimeField()
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True)
    confirmed_roles = models.JSONField(default=list)
    change = models.ForeignKey(Change, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["starts_on", "pk"]
        constraints = [
            models.CheckConstraint(
                name="nobody_is_their_own_deputy", condition=Q(deputy__isnull=True) | ~Q(deputy=F("person"))
            ),
            models.CheckConstraint(name="absence_ends_after_it_begins", condition=Q(ends_on__gte=F("starts_on"))),
            models.CheckConstraint(
                name="ended_absence_says_by_whom",
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_at__isnull=False, ended_by__isnull=False),
            ),
            models.CheckConstraint(
                name="roles_of_a_deputy_take_two_people",
                condition=Q(change__isnull=True, confirmed_roles=[]) | Q(change__isnull=False, deputy__isnull=False),
            ),
            models.CheckConstraint(
                name="nobody_names_themselves_for_another",
                condition=Q(deputy__isnull=True) | Q(change__isnull=False) | ~Q(deputy=F("stated_by")),
            ),
        ]

    def __str__(self) -> str:
        return f"ABS-{self.pk}"

    @property
    def period(self) -> Period:
        """The stated days."""
        return Period(self.starts_on, self.ends_on)
