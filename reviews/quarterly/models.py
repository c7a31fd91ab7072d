"""Tables of the quarterly review and their constraints."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from governance.inventory.models import ModelAsset
from governance.jobs.models import Leased, due_index
from governance.people.models import Team
from reviews.quarterly.domain.action_items import ACTION_CLOSED, ActionState
from reviews.quarterly.domain.agenda import AgendaKind
from reviews.quarterly.domain.cycle import CycleState
from reviews.quarterly.domain.decisions import NEEDS_AMOUNT, DecisionKind
from reviews.quarterly.domain.quorum import Side
from reviews.requests.models import ReviewRequest

CYCLE_STATES = [(state.value, state.words) for state in CycleState]
AGENDA_KINDS = [(kind.value, kind.words) for kind in AgendaKind]
SIDES = [(side.value, side.value) for side in Side]
DECISION_KINDS = [(kind.value, kind.words) for kind in DecisionKind]
ACTION_STATES = [(state.value, state.words) for state in ActionState]
MINUTES_PER_ITEM, MINUTES_PER_ITEM_MAX = 5, 120
MET = (CycleState.HELD, CycleState.CLOSED)
User = settings.AUTH_USER_MODEL


class ReviewCycle(models.Model):
    """The review of one quarter. A database trigger prevents changes to a closed cycle."""

    quarter = models.CharField(max_length=6, unique=True)
    state = models.CharField(max_length=12, choices=CYCLE_STATES, default=CycleState.PLANNED)
    planned_at = models.DateTimeField()
    collecting_at = models.DateTimeField()
    cut_off_at = models.DateTimeField()
    gathered_at = models.DateTimeField(null=True)
    is_reordered = models.BooleanField(default=False)
    minutes_per_item = models.PositiveSmallIntegerField(default=MINUTES_PER_ITEM)
    chair = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    held_at = models.DateTimeField(null=True)
    notes = models.TextField(blank=True, default="")
    minutes = models.TextField(blank=True, default="")
    minutes_digest = models.CharField(max_length=71, blank=True, default="")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["-quarter"]
        constraints = [
            models.CheckConstraint(
                name="cycle_quarter_is_written_2026Q4", condition=Q(quarter__regex=r"^\d{4}Q[1-4]$")
            ),
            models.CheckConstraint(
                name="cycle_state_known", condition=Q(state__in=[state.value for state in CycleState])
            ),
            models.CheckConstraint(
                name="minutes_per_item_planned", condition=Q(minutes_per_item__range=(1, MINUTES_PER_ITEM_MAX))
            ),
            models.CheckConstraint(name="collecting_before_cut_off", condition=Q(collecting_at__lt=F("cut_off_at"))),
            models.CheckConstraint(
                name="held_has_a_chair",
                condition=~Q(state__in=[state.value for state in MET]) | Q(chair__isnull=False, held_at__isnull=False),
            ),
            models.CheckConstraint(
                name="closed_has_minutes",
                condition=~Q(state=CycleState.CLOSED)
                | (Q(closed_at__isnull=False, closed_by__isnull=False) & ~Q(minutes="") & ~Q(minutes_digest="")),
            ),
        ]

    def __str__(self) -> str:
        return self.quarter


class AgendaItem(models.Model):
    """An item of the agenda. `recurs` is the item of an earlier cycle about the same subject."""

    cycle = models.ForeignKey(ReviewCycle, on_delete=models.PROTECT, related_name="items")
    kind = models.CharField(max_length=20, choices=AGENDA_KINDS)
    subject = models.CharField(max_length=200)
    title = models.CharField(max_length=400)
    reason = models.TextField()
    page = models.CharField(max_length=300, blank=True)
    position = models.PositiveIntegerField()
    asset = models.ForeignKey(ModelAsset, on_delete=models.PROTECT, null=True, related_name="agenda_items")
    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, null=True, related_name="agenda_items")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="+")
    recurs = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="recurrences")
    added_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    added_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)
    removed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    removal_reason = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["position", "pk"]
        indexes = [models.Index(fields=["kind", "subject"], name="items_by_subject")]
        constraints = [
            models.UniqueConstraint(fields=["cycle", "kind", "subject"], name="once_on_an_agenda"),
            models.CheckConstraint(
                name="removed_says_why",
                condition=Q(removed_at__isnull=True, removed_by__isnull=True, removal_reason="")
                | (Q(removed_at__isnull=False) & ~Q(removal_reason="")),
            ),
            models.CheckConstraint(
                name="added_by_somebody", condition=~Q(kind=AgendaKind.ADDED) | Q(added_by__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.title


class Attendance(models.Model):
    """A person attends a meeting for one side."""

    cycle = models.ForeignKey(ReviewCycle, on_delete=models.PROTECT, related_name="attendances")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    side = models.CharField(max_length=12, choices=SIDES)
    noted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    noted_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["cycle", "person"], name="one_side_per_person"),
            models.CheckConstraint(name="side_known", condition=Q(side__in=[side.value for side in Side])),
        ]

    def __str__(self) -> str:
        return f"{self.cycle} {self.person}"


class MeetingDecision(models.Model):
    """A decision of the meeting about an item. A database trigger prevents changes."""

    item = models.ForeignKey(AgendaItem, on_delete=models.PROTECT, related_name="decisions")
    kind = models.CharField(max_length=20, choices=DECISION_KINDS)
    rationale = models.TextField()
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    due_on = models.DateField()
    amount_usd = models.DecimalField(max_digits=16, decimal_places=2, null=True)
    effect = models.TextField()
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["item", "kind"], name="one_decision_per_item_and_kind"),
            models.CheckConstraint(
                name="decision_kind_known", condition=Q(kind__in=[kind.value for kind in DecisionKind])
            ),
            models.CheckConstraint(
                name="amount_where_the_budget_changes",
                condition=Q(kind__in=sorted(NEEDS_AMOUNT), amount_usd__gte=0)
                | (~Q(kind__in=sorted(NEEDS_AMOUNT)) & Q(amount_usd__isnull=True)),
            ),
            models.CheckConstraint(name="decision_says_why", condition=~Q(rationale="")),
        ]

    def __str__(self) -> str:
        return f"{self.item} {self.kind}"


class ActionItem(models.Model):
    """The work that a decision assigns to its owner. A database trigger prevents changes to a closed item."""

    decision = models.OneToOneField(MeetingDecision, on_delete=models.PROTECT, related_name="action")
    ref = models.CharField(max_length=20, unique=True)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="action_items")
    due_on = models.DateField()
    state = models.CharField(max_length=12, choices=ACTION_STATES, default=ActionState.OPEN)
    opened_at = models.DateTimeField()
    outcome = models.TextField(blank=True, default="")
    closed_at = models.DateTimeField(null=True)
    closed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(name="action_state_known", condition=Q(state__in=[s.value for s in ActionState])),
            models.CheckConstraint(
                name="closed_action_says_when_and_what",
                condition=(
                    Q(state__in=sorted(ACTION_CLOSED), closed_at__isnull=False, closed_by__isnull=False)
                    & ~Q(outcome="")
                )
                | (~Q(state__in=sorted(ACTION_CLOSED)) & Q(closed_at__isnull=True, closed_by__isnull=True, outcome="")),
            ),
        ]

    def __str__(self) -> str:
        return self.ref


class CyclePacket(Leased):
    """A packet of a quarter. A database trigger prevents changes to its document; only the rendering state changes."""

    cycle = models.ForeignKey(ReviewCycle, on_delete=models.PROTECT, related_name="packets")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    document_digest = models.CharField(max_length=71)
    sections_total = models.PositiveIntegerField(default=0)
    sections_done = models.PositiveIntegerField(default=0)
    stored_as = models.CharField(max_length=200, blank=True, default="")
    pdf_digest = models.CharField(max_length=71, blank=True, default="")
    pages = models.PositiveIntegerField(null=True)
    pages_done = models.PositiveIntegerField(default=0, db_default=0)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["cycle", "number"], name="one_cycle_packet_per_number"),
            models.CheckConstraint(
                name="no_more_done_than_there_are", condition=Q(sections_done__lte=F("sections_total"))
            ),
        ]
        indexes = [due_index("due_cycle_packets")]

    def __str__(self) -> str:
        return f"{self.cycle} packet {self.number}"


class RenderedSection(models.Model):
    """A cache of rendered sections: the PDF of one section by its digest. Rows can be deleted and rendered again."""

    digest = models.CharField(max_length=71, unique=True)
    pdf = models.BinaryField()
    drawn_at = models.DateTimeField()
    used_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["used_at"])]

    def __str__(self) -> str:
        return self.digest
