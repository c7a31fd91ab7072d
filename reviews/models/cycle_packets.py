"""The quarterly packet: frozen JSON, drawn section by section; what is drawn of a section serves every packet that has
it.
"""

from django.db import models
from django.db.models import F, Q

from governance.models import Leased
from reviews.models.cycles import ReviewCycle


class CyclePacket(Leased):
    """A packet of a quarter; what it says never changes (a trigger holds that), only how far its drawing came."""

    cycle = models.ForeignKey(ReviewCycle, on_delete=models.PROTECT, related_name="packets")
    number = models.PositiveIntegerField()
    document = models.JSONField()
    document_digest = models.CharField(max_length=71)
    sections_total = models.PositiveIntegerField(default=0)
    sections_done = models.PositiveIntegerField(default=0)
    stored_as = models.CharField(max_length=200, blank=True, default="")
    pdf_digest = models.CharField(max_length=71, blank=True, default="")
    pages = models.PositiveIntegerField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["cycle", "number"], name="one_cycle_packet_per_number"),
            models.CheckConstraint(
                name="no_more_done_than_there_are", condition=Q(sections_done__lte=F("sections_total"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.cycle} packet {self.number}"


class RenderedSection(models.Model):
    """The PDF of one section, by the digest of all that decides how it looks; may be forgotten, and is drawn again."""

    digest = models.CharField(max_length=71, unique=True)
    pdf = models.BinaryField()
    drawn_at = models.DateTimeField()
    used_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["used_at"])]

    def __str__(self) -> str:
        return self.digest
