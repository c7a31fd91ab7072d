"""Re-reviews: which request reviews an authorised model again, and for which finding."""

from django.db import models

from governance.models import Finding
from reviews.models.decisions import Authorisation
from reviews.models.requests import ReviewRequest


class ReReview(models.Model):
    """What a breach has opened; never changed (a trigger holds that).

    A finding opens one, and is of one authorisation, kind and window: that makes it once for each. The first row of a
    request opened it; later ones are breaches found while it was open, which point back to it.
    """

    authorisation = models.ForeignKey(Authorisation, on_delete=models.PROTECT, related_name="re_reviews")
    finding = models.OneToOneField(Finding, on_delete=models.PROTECT, related_name="re_review")
    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="re_reviews")
    noted_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.request} for {self.finding}"
