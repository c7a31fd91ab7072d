"""Tables of threads and comments. Rows never change: an edit, a withdrawal and a resolution are rows of their own."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from governance.findings.models import Finding
from reviews.discussions.domain.comments import RequestPart, Topic
from reviews.requests.models import ReviewRequest

User = settings.AUTH_USER_MODEL
PARTS = [(part.value, part.name.lower()) for part in RequestPart]


class Thread(models.Model):
    """A thread of comments on a request or a part of it, on a finding, or on an item of a quarterly agenda."""

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, null=True, related_name="threads")
    finding = models.ForeignKey(Finding, on_delete=models.PROTECT, null=True, related_name="threads")
    agenda_item = models.ForeignKey("quarterly.AgendaItem", on_delete=models.PROTECT, null=True, related_name="threads")
    part = models.CharField(max_length=10, choices=PARTS, blank=True)
    name = models.CharField(max_length=80, blank=True)
    opened_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                name="thread_on_one_thing",
                condition=Q(request__isnull=False, finding__isnull=True, agenda_item__isnull=True)
                | Q(request__isnull=True, finding__isnull=False, agenda_item__isnull=True)
                | Q(request__isnull=True, finding__isnull=True, agenda_item__isnull=False),
            ),
            models.CheckConstraint(
                name="only_a_request_has_parts",
                condition=Q(part="", name="") | (Q(request__isnull=False) & ~Q(part="") & ~Q(name="")),
            ),
        ]

    def __str__(self) -> str:
        return f"Thread {self.pk}"

    @property
    def topic(self) -> Topic:
        """The part of the request that it is about."""
        return Topic(RequestPart(self.part), self.name)


class Comment(models.Model):
    """A comment; its latest text counts. `revision` is that of the request when it was written."""

    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="comments")
    author = models.ForeignKey(User, on_delete=models.PROTECT, related_name="comments")
    revision = models.PositiveIntegerField(null=True)
    written_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"Comment {self.pk}"


class CommentText(models.Model):
    """One version of the text of a comment, counted from 1."""

    comment = models.ForeignKey(Comment, on_delete=models.PROTECT, related_name="texts")
    number = models.PositiveIntegerField()
    text = models.TextField()
    written_at = models.DateTimeField()

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["comment", "number"], name="one_text_per_number")]

    def __str__(self) -> str:
        return f"{self.comment}, text {self.number}"


class CommentWithdrawal(models.Model):
    """The author withdrew the comment: its text is not shown any more, and stays on record."""

    comment = models.OneToOneField(Comment, on_delete=models.PROTECT, related_name="withdrawal")
    withdrawn_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.comment} withdrawn"


class Resolution(models.Model):
    """A thread was resolved or opened again. They are counted from 1, so the odd ones resolve."""

    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="resolutions")
    number = models.PositiveIntegerField()
    is_resolved = models.BooleanField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["thread", "number"], name="one_resolution_per_number"),
            models.CheckConstraint(
                name="resolved_and_reopened_in_turn",
                condition=Q(is_resolved=True, number=F("number") / 2 * 2 + 1)
                | Q(is_resolved=False, number=F("number") / 2 * 2),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.thread} {'resolved' if self.is_resolved else 'reopened'}"


class Mention(models.Model):
    """A comment mentions a person."""

    comment = models.ForeignKey(Comment, on_delete=models.PROTECT, related_name="mentions")
    person = models.ForeignKey(User, on_delete=models.PROTECT, related_name="mentions")
    mentioned_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["comment", "person"], name="one_mention_per_person")]

    def __str__(self) -> str:
        return f"{self.comment} mentions {self.person_id}"
