"""Changes that take two people: one proposes, another confirms."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from governance.people.approvals.enums import Changed, ChangeState
from governance.people.domain.roles import BINDING, Role

VALID = timedelta(days=7)
ROLES = [(role.value, role.label) for role in Role if role in BINDING]
WITHOUT_PARTS = [
    *(Changed.POLICY, Changed.POLICY_END, Changed.CHECKLIST, Changed.CATALOG),
    *(Changed.ALLOCATION, Changed.SANDBOX, Changed.DATASET, Changed.WORKER),
]
OF_MODELS = [Changed.OWNER, Changed.TIER_OR_TASK, Changed.RETIREMENT]
_OPEN, _CONFIRMED = Q(state=ChangeState.PENDING), Q(state=ChangeState.CONFIRMED)
_CLOSED = Q(closed_at__isnull=False, closed_by__isnull=False)


class Change(models.Model):
    """A proposed change; a trigger prevents updates after it is closed.

    `subject_id` is the row of the kind's table that changes, `part` the changed part of it, if it has parts, `details`
    the change as JSON. `gains` is the person who must not confirm: they wrote the version or gain by the change.
    """

    kind = models.CharField(max_length=12, choices=Changed.choices)
    subject_id = models.PositiveBigIntegerField()
    part = models.CharField(max_length=20, blank=True)
    details = models.JSONField(default=dict)
    description = models.CharField(max_length=400)
    gains = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField()
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    state = models.CharField(max_length=10, choices=ChangeState.choices, default=ChangeState.PENDING)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    closed_at = models.DateTimeField(null=True)
    closing_reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="change_names_one_thing",
                condition=Q(
                    kind=Changed.ROLE,
                    gains__isnull=False,
                    gains=F("subject_id"),
                    part__in=sorted(role.value for role in BINDING),
                )
                | Q(kind__in=WITHOUT_PARTS, part="")
                | Q(kind=Changed.BUDGET, gains__isnull=True)
                | Q(kind__in=OF_MODELS, part="", gains__isnull=True)
                | Q(kind=Changed.DEPUTY, part="", gains__isnull=False),
            ),
            models.CheckConstraint(
                name="another_person_confirms",
                condition=~_CONFIRMED | (Q(closed_by__isnull=False) & ~Q(closed_by=F("proposed_by"))),
            ),
            models.CheckConstraint(
                name="nobody_gains_by_own_hand",
                condition=Q(gains__isnull=True)
                | (
                    (~Q(kind__in=[Changed.ROLE, Changed.DEPUTY]) | ~Q(gains=F("proposed_by")))
                    & (~_CONFIRMED | ~Q(gains=F("closed_by")))
                ),
            ),
            models.CheckConstraint(
                name="closed_change_says_when_and_by_whom",
                condition=(_OPEN & Q(closed_at__isnull=True, closed_by__isnull=True))
                | Q(state=ChangeState.EXPIRED, closed_at__isnull=False, closed_by__isnull=True)
                | (Q(state__in=[ChangeState.CONFIRMED, ChangeState.REFUSED]) & _CLOSED)
                | (Q(state=ChangeState.WITHDRAWN, closed_by=F("proposed_by")) & _CLOSED),
            ),
            models.CheckConstraint(
                name="change_waits_seven_days",
                condition=Q(expires_at__gt=F("proposed_at"), expires_at__lte=F("proposed_at") + VALID)
                & (~_CONFIRMED | Q(closed_at__lt=F("expires_at"))),
            ),
            models.UniqueConstraint(
                fields=["kind", "subject_id", "part"], condition=_OPEN, name="one_open_change_of_a_thing"
            ),
        ]

    def __str__(self) -> str:
        return f"CHG-{self.pk}"
