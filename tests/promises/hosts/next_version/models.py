"""The new table."""

from django.db import models


class Notice(models.Model):
    """A request that was noticed, once."""

    request = models.OneToOneField("requests.ReviewRequest", on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return str(self.request_id)
