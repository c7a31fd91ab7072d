"""JSON shapes of absences."""

from django.contrib.auth.models import User
from rest_framework import serializers

from governance.people.approvals.serializers import ChangeReasonInput
from governance.people.domain.reasons import REASON_CHARS_MAX
from governance.site.api.shapes import Answer, Input


class AbsenceAnswer(Answer):
    """A person is away; the deputy may act in their place."""

    id = serializers.IntegerField()
    ref = serializers.CharField(source="__str__")
    person = serializers.CharField(source="person.username")
    deputy = serializers.CharField(source="deputy.username", default=None, allow_null=True)
    starts_on = serializers.DateField(help_text="The first day, in UTC.")
    ends_on = serializers.DateField(help_text="The last day, in UTC.")
    reason = serializers.CharField()
    confirmed_roles = serializers.ListField(
        child=serializers.CharField(), help_text="The roles that two people gave the deputy for this absence."
    )
    stated_by = serializers.CharField(source="stated_by.username")
    stated_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)


class PersonSlug(serializers.SlugRelatedField[User]):
    """The user name of an active person."""

    def __init__(self, *, help_text: str, required: bool = True) -> None:
        super().__init__(
            slug_field="username",
            queryset=User.objects.filter(is_active=True),
            required=required,
            error_messages={"does_not_exist": "There is no active user “{value}”."},
            help_text=help_text,
        )


class AbsenceInput(Input):
    """The days of an absence and its deputy."""

    person = PersonSlug(required=False, help_text="User name of the absent person; yourself by default.")
    deputy = PersonSlug(required=False, help_text="User name of somebody with one of the same roles.")
    starts_on = serializers.DateField(help_text="The first day, in UTC.")
    ends_on = serializers.DateField(help_text="The last day, in UTC.")
    reason = serializers.CharField(
        required=False, max_length=REASON_CHARS_MAX, help_text="Required for the absence of another person."
    )


class EndingInput(Input):
    """Why an absence ends; required for that of another person."""

    reason = serializers.CharField(required=False, max_length=REASON_CHARS_MAX)


class DeputyInput(ChangeReasonInput):
    """A deputy who gets the roles of the absent person."""

    deputy = PersonSlug(help_text="User name of the deputy.")
