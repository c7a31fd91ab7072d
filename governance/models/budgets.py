"""Budgets: one account per team, quarter and unit, and its append-only ledger."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from governance.domain.ledger import EntryKind
from governance.enums import Unit
from governance.models.people import Team

KINDS = [(kind.value, kind.value) for kind in EntryKind]


class BudgetAccount(models.Model):
    """What a team may spend in a quarter, in USD or in GPU hours."""

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="budget_accounts")
    quarter = models.CharField(max_length=6)
    unit = models.CharField(max_length=6, choices=Unit.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "quarter", "unit"], name="one_account"),
            models.CheckConstraint(name="quarter_is_written_2026Q4", condition=Q(quarter__regex=r"^\d{4}Q[1-4]$")),
            models.CheckConstraint(name="known_unit", condition=Q(unit__in=Unit.values)),
        ]

    def __str__(self) -> str:
        return f"{self.team} {self.quarter} {self.unit}"


class LedgerEntry(models.Model):
    """One booking; never changed (a trigger holds that), corrected only by another booking."""

    account = models.ForeignKey(BudgetAccount, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(max_length=10, choices=KINDS)
    amount = models.DecimalField(max_digits=16, decimal_places=2)
    request_ref = models.CharField(max_length=20, blank=True)
    key = models.CharField(max_length=120, unique=True)
    note = models.CharField(max_length=200, blank=True)
    booked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    booked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="amount_is_positive", condition=Q(amount__gt=0)),
            models.CheckConstraint(name="known_kind", condition=Q(kind__in=[kind.value for kind in EntryKind])),
        ]
        indexes = [models.Index(fields=["account", "request_ref"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"
