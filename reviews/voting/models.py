"""Tables of revisions and votes, with their database constraints."""

from django.conf import settings
from django.db import models

from reviews.requests.models import ReviewRequest
from reviews.voting.domain.electorate import VoteChoice

User = settings.AUTH_USER_MODEL

CHOICES = [(choice.value, choice.value.replace("_", " ")) for choice in VoteChoice]


class Revision(models.Model):
    """A frozen state of a request. The digest covers artifact, policy, metric values, runs and answers."""

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
    """One person's vote on one revision. Rows never change (a trigger enforces this)."""

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
