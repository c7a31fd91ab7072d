"""JSON shapes of saved views."""

from rest_framework import serializers

from governance.people.models import Team
from governance.saved_views.domain import FILTERS_CHARS_MAX, LISTS, NAME_CHARS_MAX
from governance.site.api.shapes import Answer, Input


class SavedViewAnswer(Answer):
    """A list with filters that a person named."""

    id = serializers.IntegerField()
    owner = serializers.CharField(source="owner.username")
    team = serializers.CharField(source="team.slug", default=None, allow_null=True)
    list_name = serializers.ChoiceField(choices=list(LISTS))
    name = serializers.CharField()
    filters = serializers.CharField(help_text="The filters as a query string.")
    address = serializers.CharField(help_text="The page of the list with the filters.")
    saved_at = serializers.DateTimeField()


class SavedViewInput(Input):
    """A view to save."""

    list_name = serializers.ChoiceField(choices=list(LISTS))
    name = serializers.CharField(max_length=NAME_CHARS_MAX)
    filters = serializers.CharField(max_length=FILTERS_CHARS_MAX, help_text="The filters as a query string.")
    team = serializers.SlugRelatedField(
        slug_field="slug", queryset=Team.objects.all(), required=False, help_text="Slug of the team that sees it too."
    )
