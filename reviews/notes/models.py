"""Tables of personal notes. Only their owner sees them and they decide nothing, so the audit trail has none of them."""

from datetime import datetime

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q

from reviews.notes.domain.draft_votes import VoteDraft, check_open, check_revision
from reviews.notes.domain.looks import Look, Looks, looks_after
from reviews.notes.domain.parts import PartName, check_seen
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.locking import lock
from reviews.requests.models import ReviewRequest
from reviews.voting.models import CHOICES
from weighbridge.core.converter import to_document

User = settings.AUTH_USER_MODEL
PARTS = [(part.value, part.words) for part in PartName]


class LastLook(models.Model):
    """The latest look of a person at a request, and the latest one of the visit before."""

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="looks")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="looks")
    position = models.PositiveBigIntegerField()
    revision = models.PositiveIntegerField()
    looked_at = models.DateTimeField()
    before_position = models.PositiveBigIntegerField(null=True)
    before_revision = models.PositiveIntegerField(null=True)
    before_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "person"], name="one_last_look_per_person"),
            models.CheckConstraint(
                name="visit_before_is_whole",
                condition=Q(before_position__isnull=True, before_revision__isnull=True, before_at__isnull=True)
                | Q(before_position__isnull=False, before_revision__isnull=False, before_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} looked at {self.request_id}"

    @property
    def looks(self) -> Looks:
        """The row as the domain type."""
        latest = Look(position=self.position, revision=self.revision, at=self.looked_at)
        if self.before_position is None or self.before_revision is None or self.before_at is None:
            return Looks(latest=latest)
        before = Look(position=self.before_position, revision=self.before_revision, at=self.before_at)
        return Looks(latest=latest, before=before)

    @classmethod
    def keep(cls, *, request_id: int, person_id: int, look: Look, is_read: bool) -> None:
        """Note one more look of the person."""
        with transaction.atomic():
            row = cls.objects.select_for_update().filter(request_id=request_id, person_id=person_id).first()
            after = looks_after(row.looks if row else None, look=look, is_read=is_read)
            cls.objects.update_or_create(
                request_id=request_id,
                person_id=person_id,
                defaults={
                    "position": after.latest.position,
                    "revision": after.latest.revision,
                    "looked_at": after.latest.at,
                    "before_position": after.before.position if after.before else None,
                    "before_revision": after.before.revision if after.before else None,
                    "before_at": after.before.at if after.before else None,
                },
            )


class DraftVote(models.Model):
    """A vote that a person has not cast yet.

    `conditions` holds text, user name of the owner and due date of each. A deputy drafts `in_place_of` the person with
    this user name. `lifted_ids` are the earlier conditions that the vote would lift.
    """

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="draft_votes")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="draft_votes")
    revision = models.PositiveIntegerField()
    choice = models.CharField(max_length=20, choices=CHOICES, blank=True)
    rationale = models.TextField(blank=True)
    conditions = models.JSONField(default=list)
    in_place_of = models.CharField(max_length=150, blank=True)
    lifted_ids = models.JSONField(default=list)
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "person"], name="one_draft_vote_per_person")]

    def __str__(self) -> str:
        return f"{self.person_id} drafted {self.choice}"

    @classmethod
    def keep(
        cls, *, request: ReviewRequest, person_id: int, draft: VoteDraft, seen: int | None = None, now: datetime
    ) -> None:
        """Save the draft of a person who `seen` a revision, in place of an earlier one; an empty draft discards it.

        Raises WrongState if there is nothing to draft any more. The lock is that of a vote: a form that saves itself
        while its vote is cast does not leave a draft behind.
        """
        with transaction.atomic():
            row = lock(request)
            has_voted = row.votes.filter(revision=row.revision, person_id=person_id, withdrawal=None).exists()
            check_open(RequestState(row.state), has_voted=has_voted)
            check_revision(seen=seen, revision=row.revision)
            if draft.is_empty:
                cls.objects.filter(request=row, person_id=person_id).delete()
            else:
                defaults = {**to_document(draft), "revision": row.revision, "saved_at": now}
                cls.objects.update_or_create(request=row, person_id=person_id, defaults=defaults)


class ViewedPart(models.Model):
    """A person marked a part of a request as viewed; the mark counts while the digest of the part is the same."""

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="viewed_parts")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="viewed_parts")
    part = models.CharField(max_length=20, choices=PARTS)
    revision = models.PositiveIntegerField()
    digest = models.CharField(max_length=71)
    viewed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "person", "part"], name="one_mark_per_person_and_part"),
            models.CheckConstraint(name="known_part", condition=Q(part__in=[part.value for part in PartName])),
        ]

    def __str__(self) -> str:
        return f"{self.person_id} viewed {self.part}"

    @classmethod
    def mark(
        cls,
        *,
        request: ReviewRequest,
        person_id: int,
        part: PartName,
        seen: str,
        present: str,
        is_viewed: bool,
        now: datetime,
    ) -> None:
        """Mark the part as viewed in its present state, or take the mark away.

        `seen` and `present` are the digests of what the part showed and shows. Raises as `check_seen`, unless the mark
        is taken away, which is possible unseen.
        """
        if not is_viewed:
            cls.objects.filter(request=request, person_id=person_id, part=part).delete()
            return
        check_seen(seen=seen, present=present)
        cls.objects.update_or_create(
            request=request,
            person_id=person_id,
            part=part,
            defaults={"revision": request.revision, "digest": present, "viewed_at": now},
        )
