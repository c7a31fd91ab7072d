"""Budgets: a tree of cost centers, one account per center, quarter and unit, and its append-only ledger."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.domain.ledger import GIVES_BACK, OF_THE_ACCOUNT, SIGNED, SPENT, BudgetMode, EntryKind
from governance.budgets.domain.quarter_forecast import TOLERANCE_PERCENT
from governance.budgets.enums import BudgetUnit
from governance.people.models import Team

KINDS = [(kind.value, kind.value) for kind in EntryKind]
MODES = [(mode.value, mode.value) for mode in BudgetMode]
LEVELS = [(level.value, level.value) for level in CenterLevel]
_SPENT = sorted(kind.value for kind in SPENT)
_SIGNED = sorted(kind.value for kind in SIGNED)
_GIVES_BACK = sorted(kind.value for kind in GIVES_BACK)
_OWN = sorted(kind.value for kind in OF_THE_ACCOUNT)
_TEAMS = [CenterLevel.TEAM.value, CenterLevel.PROJECT.value]


class CostCenter(models.Model):
    """A node of the cost center tree. The center of a team has the slug of the team."""

    level = models.CharField(max_length=12, choices=LEVELS)
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="children")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="cost_centers")

    class Meta:
        constraints = [
            models.CheckConstraint(name="known_level", condition=Q(level__in=[level.value for level in CenterLevel])),
            models.CheckConstraint(
                name="only_the_root_has_no_parent",
                condition=Q(level=CenterLevel.ORGANIZATION.value, parent__isnull=True)
                | (~Q(level=CenterLevel.ORGANIZATION.value) & Q(parent__isnull=False)),
            ),
            models.CheckConstraint(
                name="teams_and_projects_have_a_team",
                condition=Q(level__in=_TEAMS, team__isnull=False) | (~Q(level__in=_TEAMS) & Q(team__isnull=True)),
            ),
            models.UniqueConstraint(
                fields=["level"], condition=Q(level=CenterLevel.ORGANIZATION.value), name="one_root"
            ),
            models.UniqueConstraint(
                fields=["team"], condition=Q(level=CenterLevel.TEAM.value), name="one_center_of_a_team"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class BudgetAccount(models.Model):
    """The budget of a cost center for a quarter, in USD or in GPU hours; `mode` sets the treatment of amounts
    above it.
    """

    center = models.ForeignKey(CostCenter, on_delete=models.PROTECT, related_name="accounts")
    quarter = models.CharField(max_length=6)
    unit = models.CharField(max_length=6, choices=BudgetUnit.choices)
    mode = models.CharField(
        max_length=7, choices=MODES, default=BudgetMode.ENFORCE.value, db_default=BudgetMode.ENFORCE.value
    )
    tolerance_percent = models.PositiveSmallIntegerField(default=TOLERANCE_PERCENT, db_default=TOLERANCE_PERCENT)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["quarter"], name="open_accounts", condition=Q(closed_at__isnull=True))]
        constraints = [
            models.UniqueConstraint(fields=["center", "quarter", "unit"], name="one_account"),
            models.CheckConstraint(name="quarter_is_written_2026Q4", condition=Q(quarter__regex=r"^\d{4}Q[1-4]$")),
            models.CheckConstraint(name="known_unit", condition=Q(unit__in=BudgetUnit.values)),
            models.CheckConstraint(name="known_mode", condition=Q(mode__in=[mode.value for mode in BudgetMode])),
            models.CheckConstraint(name="tolerance_is_a_share", condition=Q(tolerance_percent__lte=100)),
        ]

    def __str__(self) -> str:
        return f"{self.center} {self.quarter} {BudgetUnit(self.unit).label}"


class LedgerEntry(models.Model):
    """One posting. A trigger prevents changes; corrections are new postings."""

    account = models.ForeignKey(BudgetAccount, on_delete=models.PROTECT, related_name="entries")
    kind = models.CharField(max_length=10, choices=KINDS)
    amount = models.DecimalField(max_digits=16, decimal_places=2)
    request_ref = models.CharField(max_length=20, blank=True)
    is_commitment = models.BooleanField(default=False, db_default=False)
    period = models.CharField(max_length=7, blank=True, default="", db_default="")
    key = models.CharField(max_length=120, unique=True)
    note = models.CharField(max_length=200, blank=True)
    booked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    booked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="amount_suits_kind",
                condition=Q(amount__gt=0) | Q(kind__in=_SPENT) | (Q(kind__in=_SIGNED) & ~Q(amount=0)),
            ),
            models.CheckConstraint(name="known_kind", condition=Q(kind__in=[kind.value for kind in EntryKind])),
            models.CheckConstraint(
                name="what_is_billed_has_a_month",
                condition=Q(kind__in=_SPENT, period__regex=r"^\d{4}-(0[1-9]|1[0-2])$")
                | (~Q(kind__in=_SPENT) & Q(period="")),
            ),
            models.CheckConstraint(
                name="releases_give_back", condition=Q(is_commitment=False) | Q(kind__in=_GIVES_BACK)
            ),
            models.CheckConstraint(
                name="bookings_name_their_request",
                condition=Q(kind__in=_SPENT)
                | Q(kind__in=_OWN, is_commitment=False, request_ref="")
                | ((~Q(kind__in=_OWN) | Q(is_commitment=True)) & ~Q(request_ref="")),
            ),
        ]
        indexes = [
            models.Index(fields=["account", "request_ref"]),
            models.Index(fields=["request_ref"], name="entries_of_a_request"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"
