"""JSON shapes of approvals."""

from django.contrib.auth.models import User
from rest_framework import serializers

from governance.people.approvals.enums import Changed, ChangeState
from governance.people.approvals.models import Change
from governance.people.approvals.queries import confirmers
from governance.people.domain.roles import BINDING
from governance.site.api.shapes import Answer, Input, choice


class ChangeAnswer(Answer):
    """A change that takes two people: proposed by one person, in force once another has confirmed it."""

    id = serializers.IntegerField()
    ref = serializers.CharField(source="__str__")
    kind = serializers.CharField(help_text="policy, checklist, role, allocation, budget, owner, sandbox or deputy.")
    description = serializers.CharField()
    details = serializers.DictField(help_text="What is asked, by the kind.")
    state = serializers.CharField(help_text="pending, confirmed, refused, withdrawn or expired.")
    reason = serializers.CharField()
    proposed_by = serializers.CharField(source="proposed_by.username")
    proposed_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    closed_by = serializers.CharField(source="closed_by.username", default=None, allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)
    closing_reason = serializers.CharField()


class ProposalAnswer(ChangeAnswer):
    """A change that was just proposed, and the people who may confirm it."""

    can_be_confirmed_by = serializers.SerializerMethodField()

    def get_can_be_confirmed_by(self, change: Change) -> list[str]:
        """The user names of those who may confirm it now."""
        return [user.username for user in confirmers(change)]


class ChangeReasonInput(Input):
    """Why."""

    reason = serializers.CharField(min_length=10, max_length=2000)


class ChangeFilters(Input):
    """What the list of changes can be narrowed to."""

    page = serializers.IntegerField(required=False, min_value=1)
    state = choice(ChangeState.values, required=False)
    kind = choice(Changed.values, required=False)


class GrantInput(ChangeReasonInput):
    """A role that binds people, for somebody else."""

    user = serializers.SlugRelatedField(
        slug_field="username",
        queryset=User.objects.filter(is_active=True),
        error_messages={"does_not_exist": "There is no active user “{value}”."},
        help_text="User name of whoever is to hold the role.",
    )
    role = choice(sorted(BINDING))
