"""The table of requests, with its database constraints."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from benchmarking.runs.models import Dataset
from governance.inventory.enums import TASKS, Tier
from governance.inventory.models import ModelVersion
from governance.people.models import Team
from governance.rulebook.models import ChecklistVersion, PolicyVersion
from reviews.requests.domain.deadlines import WITH_DEADLINE, Deadline
from reviews.requests.domain.lifecycle import OPEN_STATES, RequestState
from reviews.requests.enums import ENVIRONMENTS

User = settings.AUTH_USER_MODEL

STATES = [(state.value, state.value.replace("_", " ")) for state in RequestState]
IS_OPEN = Q(state__in=sorted(state.value for state in OPEN_STATES))
"""Selects the requests that have not ended."""
EXPIRING = Q(state__in=sorted(state.value for state in {RequestState.CLEARED, *WITH_DEADLINE}))
"""Selects the requests that end by time."""


class ReviewRequest(models.Model):
    """A filed request; `state` follows `reviews.requests.domain.lifecycle`, and only `reviews.actions` moves it.

    `tier` and `task` are those of the model at submission; "" before. `data_since` is when the evaluation data of a
    submitted request changed last, `replaces` the withdrawn request whose file this one exchanges. `extended_at` is
    when a platform lead extended the deadline, which happens once at most.
    """

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
    tier = models.CharField(max_length=2, choices=Tier.choices, blank=True)
    task = models.CharField(max_length=30, choices=TASKS, blank=True)
    business_case = models.TextField()
    state = models.CharField(max_length=20, choices=STATES, default=RequestState.DRAFT)
    revision = models.PositiveIntegerField(default=1)
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, null=True, related_name="+")
    checklist = models.ForeignKey(ChecklistVersion, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    submitted_at = models.DateTimeField(null=True)
    review_opened_at = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField(null=True)
    data_since = models.DateTimeField(null=True)
    replaces = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="replaced_by")
    grace_ends_at = models.DateTimeField(null=True)
    extended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["model_version", "purpose"],
                condition=IS_OPEN,
                name="one_open_request_per_version_and_purpose",
            ),
            models.CheckConstraint(
                name="request_state_known", condition=Q(state__in=[state.value for state in RequestState])
            ),
            models.CheckConstraint(
                name="submitted_fixes_policy",
                condition=Q(submitted_at__isnull=True)
                | Q(policy__isnull=False, checklist__isnull=False, submitted_at__isnull=False),
            ),
            models.CheckConstraint(
                name="grace_follows_the_deadline",
                condition=Q(deadline_at__isnull=True, grace_ends_at__isnull=True)
                | Q(deadline_at__isnull=False, grace_ends_at__gte=F("deadline_at")),
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-created_at"]),
            models.Index(fields=["-created_at", "-id"], name="requests_by_age"),
            models.Index(fields=["team", "-created_at", "-id"], name="requests_of_a_team"),
            models.Index(fields=["deadline_at"], name="requests_to_expire", condition=EXPIRING),
            models.Index(fields=["requester", "-created_at", "-id"], name="requests_of_requester"),
            models.Index(fields=["requester"], name="open_requests_of_requester", condition=IS_OPEN),
        ]

    def __str__(self) -> str:
        return self.ref

    @property
    def deadline(self) -> Deadline | None:
        """The deadline with its grace; None before submission."""
        if self.deadline_at is None or self.grace_ends_at is None:
            return None
        return Deadline(self.deadline_at, self.grace_ends_at)

    @property
    def lapses_at(self) -> datetime | None:
        """When the request lapses unless somebody acts; None if it does not lapse for lack of action."""
        state = RequestState(self.state)
        if self.deadline is None or state not in WITH_DEADLINE:
            return None
        return self.deadline.lapses_at(state, revision=self.revision)

    def is_in_grace(self, now: datetime) -> bool:
        """Whether the deadline has passed, and the request has not lapsed."""
        return self.lapses_at is not None and self.deadline_at is not None and self.deadline_at <= now < self.lapses_at
