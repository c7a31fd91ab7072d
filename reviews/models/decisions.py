"""Determinations, frozen revisions, votes, decisions and the authorisations they make."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from governance.models import PolicyVersion
from reviews.domain.lifecycle import AuthorisationState
from reviews.domain.voting import Choice
from reviews.enums import ENVIRONMENTS, OUTCOMES
from reviews.models.requests import ReviewRequest

CHOICES = [(choice.value, choice.value.replace("_", " ")) for choice in Choice]
VALIDITIES = [(state.value, state.value.replace("_", " ")) for state in AuthorisationState]
User = settings.AUTH_USER_MODEL


class Determination(models.Model):
    """What the policy said, with the figures it was told; never changed (a trigger holds that).

    `told` keeps what a replay needs beside the figures: team, tier and environment, the rules that were waived, and
    the latest figure known (`facts_to`). Rows of earlier days have none.
    """

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="determinations")
    revision = models.PositiveIntegerField()
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="+")
    occasion = models.CharField(max_length=20)
    outcome = models.CharField(max_length=20)
    document = models.JSONField()
    told = models.JSONField(null=True)
    determined_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.request} {self.outcome}"


class Waiver(models.Model):
    """Leave not to meet one soft rule for a while; never changed (a trigger holds that), it only runs out."""

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="waivers")
    rule_id = models.CharField(max_length=80)
    reason = models.TextField()
    granted_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    granted_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="waiver_runs_out", condition=Q(expires_at__gt=models.F("granted_at"))),
        ]

    def __str__(self) -> str:
        return f"{self.request} {self.rule_id}"


class Revision(models.Model):
    """What the voters see, frozen: the digest covers artifact, policy, figures, runs and answers."""

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    bundle = models.JSONField()
    digest = models.CharField(max_length=71)
    frozen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "number"], name="one_revision_per_number")]

    def __str__(self) -> str:
        return f"{self.request} r{self.number}"


class Vote(models.Model):
    """One person's vote on one revision; never changed (a trigger holds that)."""

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="votes")
    revision = models.PositiveIntegerField()
    stage = models.CharField(max_length=40)
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="votes")
    choice = models.CharField(max_length=20, choices=CHOICES)
    rationale = models.TextField(blank=True)
    cast_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["request", "revision", "stage", "person"], name="one_vote_per_person_revision_and_stage"
            ),
            models.UniqueConstraint(fields=["request", "revision", "person"], name="one_person_counts_once"),
        ]

    def __str__(self) -> str:
        return f"{self.person} {self.choice}"


class Decision(models.Model):
    """The end of a review; never changed (a trigger holds that)."""

    request = models.OneToOneField(ReviewRequest, on_delete=models.PROTECT, related_name="decision")
    outcome = models.CharField(max_length=30, choices=OUTCOMES)
    revision = models.PositiveIntegerField()
    bundle_digest = models.CharField(max_length=71)
    determination = models.ForeignKey(Determination, on_delete=models.PROTECT, related_name="+")
    rationale = models.TextField(blank=True)
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.request} {self.outcome}"


class Authorisation(models.Model):
    """The expiring, signed leave to run one artifact in one environment."""

    number = models.CharField(max_length=24, unique=True)
    decision = models.OneToOneField(Decision, on_delete=models.PROTECT, related_name="authorisation")
    subject_digest = models.CharField(max_length=71)
    environment = models.CharField(max_length=10, choices=ENVIRONMENTS)
    state = models.CharField(max_length=20, choices=VALIDITIES, default=AuthorisationState.ACTIVE)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    warn_at = models.DateTimeField()
    envelope = models.JSONField()
    statement_digest = models.CharField(max_length=71)

    class Meta:
        constraints = [
            models.CheckConstraint(name="expires_after_issue", condition=Q(expires_at__gt=models.F("issued_at"))),
        ]
        indexes = [models.Index(fields=["subject_digest", "environment"])]

    def __str__(self) -> str:
        return self.number


class Condition(models.Model):
    """A dated obligation an approval came with."""

    authorisation = models.ForeignKey(Authorisation, on_delete=models.PROTECT, related_name="conditions")
    text = models.CharField(max_length=400)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="conditions")
    due_on = models.DateField()
    met_at = models.DateTimeField(null=True)
    met_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="met_has_a_person",
                condition=Q(met_at__isnull=True, met_by__isnull=True) | Q(met_at__isnull=False, met_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.text
