"""Tables of revisions and votes, with their database constraints."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from governance.absences.models import Absence
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
    """One person's vote on one revision. Rows never change (a trigger enforces this).

    A deputy votes `in_place_of` the absent person of `absence`. A trigger refuses a second vote of a person, or in the
    place of a person, on a revision, unless the first was taken back.
    """

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="votes")
    revision = models.PositiveIntegerField()
    stage = models.CharField(max_length=40)
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="votes")
    in_place_of = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    absence = models.ForeignKey(Absence, on_delete=models.PROTECT, null=True, related_name="+")
    choice = models.CharField(max_length=20, choices=CHOICES)
    rationale = models.TextField(blank=True)
    cast_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                name="a_deputy_votes_for_another_during_an_absence",
                condition=Q(in_place_of__isnull=True, absence__isnull=True)
                | (Q(in_place_of__isnull=False, absence__isnull=False) & ~Q(in_place_of=F("person"))),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person} {self.choice}"


class VoteWithdrawal(models.Model):
    """The person took the vote back. A trigger refuses it unless the revision of the vote is in review."""

    vote = models.OneToOneField(Vote, on_delete=models.PROTECT, related_name="withdrawal")
    reason = models.TextField()
    taken_back_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.vote} taken back"
