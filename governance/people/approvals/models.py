"""Changes of what binds people: proposed by one person, in force once another has confirmed them."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from governance.people.approvals.enums import ChangeState
from governance.people.domain.roles import BINDING, Role
from governance.rulebook.models import ChecklistVersion, PolicyVersion

VALID = timedelta(days=7)
ROLES = [(role.value, role.label) for role in Role if role in BINDING]
_OPEN, _CONFIRMED = Q(state=ChangeState.PENDING), Q(state=ChangeState.CONFIRMED)


class RuleChange(models.Model):
    """A version to publish, or a role to grant to `user`; once closed it never changes (a trigger holds that)."""

    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, null=True, related_name="changes")
    checklist = models.ForeignKey(ChecklistVersion, on_delete=models.PROTECT, null=True, related_name="changes")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    role = models.CharField(max_length=20, choices=ROLES, blank=True)
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
                condition=Q(policy__isnull=False, checklist__isnull=True, user__isnull=True, role="")
                | Q(policy__isnull=True, checklist__isnull=False, user__isnull=True, role="")
                | Q(
                    policy__isnull=True,
                    checklist__isnull=True,
                    user__isnull=False,
                    role__in=sorted(role.value for role in BINDING),
                ),
            ),
            models.CheckConstraint(
                name="another_person_confirms",
                condition=~_CONFIRMED | (Q(closed_by__isnull=False) & ~Q(closed_by=F("proposed_by"))),
            ),
            models.CheckConstraint(
                name="nobody_gains_by_own_hand",
                condition=Q(user__isnull=True) | (~Q(user=F("proposed_by")) & (~_CONFIRMED | ~Q(user=F("closed_by")))),
            ),
            models.CheckConstraint(
                name="closed_change_says_when_and_by_whom",
                condition=(_OPEN & Q(closed_at__isnull=True, closed_by__isnull=True))
                | Q(state=ChangeState.EXPIRED, closed_at__isnull=False, closed_by__isnull=True)
                | Q(
                    state__in=[ChangeState.CONFIRMED, ChangeState.REFUSED],
                    closed_at__isnull=False,
                    closed_by__isnull=False,
                )
                | Q(
                    state=ChangeState.WITHDRAWN,
                    closed_at__isnull=False,
                    closed_by__isnull=False,
                    closed_by=F("proposed_by"),
                ),
            ),
            models.CheckConstraint(
                name="change_waits_seven_days",
                condition=Q(expires_at__gt=F("proposed_at"), expires_at__lte=F("proposed_at") + VALID)
                & (~_CONFIRMED | Q(closed_at__lt=F("expires_at"))),
            ),
            models.UniqueConstraint(fields=["policy"], condition=_OPEN, name="one_open_change_of_a_policy"),
            models.UniqueConstraint(fields=["checklist"], condition=_OPEN, name="one_open_change_of_a_checklist"),
            models.UniqueConstraint(fields=["user", "role"], condition=_OPEN, name="one_open_change_of_a_role"),
        ]

    def __str__(self) -> str:
        return f"CHG-{self.pk}"

    @property
    def version(self) -> PolicyVersion | ChecklistVersion | None:
        """What is to be published, if it is a version."""
        return self.policy or self.checklist

    @property
    def what(self) -> str:
        """The change as a sentence begins it: "Publish the policy default v3"."""
        if self.user is not None:
            return f"Give {self.user.get_full_name() or self.user.username} the role {Role(self.role).label.lower()}"
        return f"Publish the {'policy' if self.policy else 'checklist'} {self.version}"

    @property
    def gaining_ids(self) -> frozenset[int]:
        """Whoever gains by it: the author of a version, the person a role is for."""
        author = self.version.written_by_id if self.version is not None else None
        return frozenset(each for each in (author, self.user_id) if each is not None)
