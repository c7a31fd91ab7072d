"""The model review request, its figures and its answers."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from benchmarking.models import Dataset, Run
from governance.domain.facts import CATALOGUE, Basis
from governance.models import ChecklistVersion, ModelVersion, PolicyVersion, Team
from reviews.domain.lifecycle import OPEN_STATES, State
from reviews.enums import ENVIRONMENTS

STATES = [(state.value, state.value.replace("_", " ")) for state in State]
BASES = [(basis.value, basis.value) for basis in Basis]
User = settings.AUTH_USER_MODEL


class ReviewRequest(models.Model):
    """A filed request; `state` follows `reviews.domain.lifecycle`, and only `reviews.actions` moves it."""

    ref = models.CharField(max_length=20, unique=True)
    title = models.CharField(max_length=160)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="review_requests")
    requester = models.ForeignKey(User, on_delete=models.PROTECT, related_name="review_requests")
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="owned_requests")
    model_version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="review_requests")
    dataset = models.ForeignKey(Dataset, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    rivals = models.ManyToManyField(ModelVersion, related_name="+", blank=True)
    purpose = models.CharField(max_length=200)
    environment = models.CharField(max_length=10, choices=ENVIRONMENTS)
    business_case = models.TextField()
    state = models.CharField(max_length=20, choices=STATES, default=State.DRAFT)
    revision = models.PositiveIntegerField(default=1)
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, null=True, related_name="+")
    checklist = models.ForeignKey(ChecklistVersion, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model_version", "purpose"],
                condition=Q(state__in=sorted(state.value for state in OPEN_STATES)),
                name="one_open_request_per_version_and_purpose",
            ),
            models.CheckConstraint(name="request_state_known", condition=Q(state__in=[state.value for state in State])),
            models.CheckConstraint(
                name="submitted_fixes_policy",
                condition=Q(submitted_at__isnull=True)
                | Q(policy__isnull=False, checklist__isnull=False, submitted_at__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["state", "-created_at"])]

    def __str__(self) -> str:
        return self.ref


class Fact(models.Model):
    """One figure of a request; rows are never changed (a trigger holds that), a newer row speaks louder."""

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="facts")
    name = models.CharField(max_length=40, choices=[(name, name) for name in CATALOGUE])
    value = models.DecimalField(max_digits=25, decimal_places=9)
    unit = models.CharField(max_length=12)
    basis = models.CharField(max_length=10, choices=BASES)
    lower = models.DecimalField(max_digits=25, decimal_places=9, null=True)
    upper = models.DecimalField(max_digits=25, decimal_places=9, null=True)
    confidence = models.DecimalField(max_digits=5, decimal_places=4, null=True)
    p80 = models.DecimalField(max_digits=25, decimal_places=9, null=True)
    n = models.PositiveBigIntegerField(null=True)
    source = models.CharField(max_length=300, blank=True)
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, related_name="facts")
    stated_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    observed_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(name="known_basis", condition=Q(basis__in=[basis.value for basis in Basis])),
            models.CheckConstraint(
                name="measured_has_a_run", condition=~Q(basis=Basis.MEASURED) | Q(run__isnull=False)
            ),
            models.UniqueConstraint(fields=["run", "name"], name="one_fact_per_run_and_name"),
            models.CheckConstraint(
                name="interval_holds_value",
                condition=(Q(lower__isnull=True) | Q(lower__lte=models.F("value")))
                & (Q(upper__isnull=True) | Q(upper__gte=models.F("value"))),
            ),
        ]
        indexes = [models.Index(fields=["request", "name"])]

    def __str__(self) -> str:
        return f"{self.name} {self.value} {self.unit} ({self.basis})"


class ContradictionAnswer(models.Model):
    """What the requester says to a claim that a measurement contradicts."""

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="contradiction_answers")
    claimed = models.ForeignKey(Fact, on_delete=models.PROTECT, related_name="+")
    measured = models.ForeignKey(Fact, on_delete=models.PROTECT, related_name="+")
    text = models.TextField()
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["claimed", "measured"], name="one_answer_per_contradiction")]

    def __str__(self) -> str:
        return f"{self.claimed} / {self.measured}"


class ChecklistAnswer(models.Model):
    """The latest answer to a checklist item; earlier ones stand in the audit trail."""

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="checklist_answers")
    item = models.CharField(max_length=60)
    text = models.TextField(blank=True)
    file_name = models.CharField(max_length=160, blank=True)
    file_digest = models.CharField(max_length=71, blank=True)
    is_attested = models.BooleanField(default=False)
    answered_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "item"], name="one_answer_per_item")]

    def __str__(self) -> str:
        return self.item
