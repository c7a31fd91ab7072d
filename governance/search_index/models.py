"""The table of words, each row found by parts of its words."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

BLOCK = 4096
"""How many IDs of a kind form a block: a search goes from the newest block to the oldest."""


class SearchEntry(models.Model):
    """What a search compares for one row of another table: its words, with a separator between two fields.

    `tags` are what is compared as a whole: who may see the row, exact terms, and its block. Triggers of
    `reviews/search/migrations` write the rows, so none is older than what it is about. The index `search_by_parts`
    holds the tags and every part of the words of one to three characters.
    """

    kind = models.CharField(max_length=12)
    object_id = models.BigIntegerField()
    words = models.TextField()
    tags = ArrayField(models.TextField())

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "object_id"], name="one_search_entry_each")]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"
