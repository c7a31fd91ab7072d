"""The table of saved views, with its database constraints."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse

from governance.people.models import Team
from governance.saved_views.domain import FILTERS_CHARS_MAX, LISTS, NAME_CHARS_MAX


class SavedView(models.Model):
    """A list with filters that a person named. With a team, everybody who files for the team sees it too."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="+")
    list_name = models.CharField(max_length=40, choices=list(LISTS.items()))
    name = models.CharField(max_length=NAME_CHARS_MAX)
    filters = models.CharField(max_length=FILTERS_CHARS_MAX)
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ["list_name", "name", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "list_name", "name"], name="one_view_of_a_name"),
            models.CheckConstraint(name="view_has_a_name_and_filters", condition=~Q(name="") & ~Q(filters="")),
            models.CheckConstraint(name="view_of_a_known_list", condition=Q(list_name__in=list(LISTS))),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> str:
        """The list with the filters."""
        return f"{reverse(self.list_name)}?{self.filters}"
