"""Changes of a budget or a commitment: proposed by one person, booked once another has confirmed them."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from governance.domain.budget_changes import Aspect
from governance.domain.money import format_amount
from governance.enums import ChangeState
from governance.models.budgets import BudgetAccount
from governance.models.changes import VALID

ASPECTS = [(aspect.value, aspect.value) for aspect in Aspect]
_OPEN, _CONFIRMED = Q(state=ChangeState.PENDING), Q(state=ChangeState.CONFIRMED)


class BudgetChange(models.Model):
    """A new amount, another quarter or another account; once closed it never changes (a trigger holds that).

    With a `request_ref` it changes what that request has committed on the account, otherwise what the account was
    given.
    `amount` is the new total for a change of amount, and what moves to `target` for a change of date or account.
    """

    aspect = models.CharField(max_length=7, choices=ASPECTS)
    account = models.ForeignKey(BudgetAccount, on_delete=models.PROTECT, related_name="changes")
    target = models.ForeignKey(BudgetAccount, on_delete=models.PROTECT, null=True, related_name="+")
    request_ref = models.CharField(max_length=20, blank=True)
    amount = models.DecimalField(max_digits=16, decimal_places=2)
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
                name="budget_change_names_what_moves",
                condition=Q(aspect=Aspect.AMOUNT.value, target__isnull=True, amount__gte=0)
                | (
                    Q(aspect__in=[Aspect.DATE.value, Aspect.ACCOUNT.value], target__isnull=False, amount__gt=0)
                    & ~Q(target=F("account"))
                ),
            ),
            models.CheckConstraint(
                name="another_person_confirms_a_budget_change",
                condition=~_CONFIRMED | (Q(closed_by__isnull=False) & ~Q(closed_by=F("proposed_by"))),
            ),
            models.CheckConstraint(
                name="closed_budget_change_says_when_and_by_whom",
                condition=(_OPEN & Q(closed_at__isnull=True, closed_by__isnull=True))
                | Q(state=ChangeState.EXPIRED, closed_at__isnull=False, closed_by__isnull=True)
                | Q(
                    state__in=[ChangeState.CONFIRMED, ChangeState.REFUSED],
                    closed_at__isnull=False,
                    closed_by__isnull=False,
                )
                | Q(state=ChangeState.WITHDRAWN, closed_at__isnull=False, closed_by=F("proposed_by")),
            ),
            models.CheckConstraint(
                name="budget_change_waits_seven_days",
                condition=Q(expires_at__gt=F("proposed_at"), expires_at__lte=F("proposed_at") + VALID)
                & (~_CONFIRMED | Q(closed_at__lt=F("expires_at"))),
            ),
            models.UniqueConstraint(
                fields=["account", "request_ref"], condition=_OPEN, name="one_open_change_of_a_budget"
            ),
        ]

    def __str__(self) -> str:
        return f"BCH-{self.pk}"

    @property
    def what(self) -> str:
        """The change as a sentence begins it: "Set the budget of Search 2026Q4 USD to 120.00 USD"."""
        thing = (
            f"the commitment of {self.request_ref} on {self.account}"
            if self.request_ref
            else f"the budget of {self.account}"
        )
        if self.target is None:
            return f"Set {thing} to {format_amount(self.amount, unit=self.account.unit)}"
        return f"Move {format_amount(self.amount, unit=self.account.unit)} of {thing} to {self.target}"
