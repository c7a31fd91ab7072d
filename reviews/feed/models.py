"""The table of the feed, with its database constraints."""

from django.db import models
from django.db.models import Q

from reviews.authorizations.domain.standing import Standing
from reviews.requests.enums import ENVIRONMENTS
from reviews.requests.models import ReviewRequest

STANDINGS = [(standing.value, standing.words) for standing in Standing]
ALLOWED = [standing.value for standing in Standing if standing.is_allowed]


class FeedEntry(models.Model):
    """The standing of an artifact in an environment from `at` on. Rows never change (a trigger enforces this).

    `nodes` are the hashes of the subtrees of the Merkle tree that the entry completes, `root` is the root of the tree
    up to it. `request` and `reason`, of the record that gives an allowed standing, are not published.
    """

    position = models.PositiveBigIntegerField(unique=True)
    digest = models.CharField(max_length=71)
    environment = models.CharField(max_length=10, choices=ENVIRONMENTS)
    standing = models.CharField(max_length=20, choices=STANDINGS)
    allowed_until = models.DateTimeField(null=True)
    at = models.DateTimeField()
    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, null=True, related_name="+")
    reason = models.TextField(blank=True)
    nodes = models.BinaryField()
    root = models.CharField(max_length=71)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.CheckConstraint(
                name="only_the_allowed_have_an_end",
                condition=Q(standing__in=ALLOWED, allowed_until__isnull=False, request__isnull=False)
                | (~Q(standing__in=ALLOWED) & Q(allowed_until__isnull=True, request__isnull=True)),
            ),
            models.CheckConstraint(name="feed_standing_known", condition=Q(standing__in=[one for one, _ in STANDINGS])),
        ]
        indexes = [models.Index(fields=["digest", "environment", "-position"])]

    def __str__(self) -> str:
        return f"{self.position} {self.digest} {self.environment} {self.standing}"
