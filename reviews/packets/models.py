"""The table of packets and its constraints."""

from django.db import models

from governance.jobs.models import Leased, due_index
from reviews.requests.models import ReviewRequest


class Packet(Leased):
    """A review packet: frozen JSON, and later its PDF. A failed rendering has an error and can be retried."""

    request = models.ForeignKey(ReviewRequest, on_delete=models.PROTECT, related_name="packets")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    document_digest = models.CharField(max_length=71)
    stored_as = models.CharField(max_length=200, blank=True, default="")
    pdf_digest = models.CharField(max_length=71, blank=True, default="")
    pages = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["request", "number"], name="one_packet_per_number")]
        indexes = [due_index("due_packets")]

    def __str__(self) -> str:
        return f"{self.request} packet {self.number}"
