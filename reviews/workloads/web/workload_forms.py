"""The filters of the list of workloads, and the form that removes a cluster."""

from collections.abc import Sequence
from typing import Any

from django import forms

from governance.people.domain.roles import Person
from governance.people.models import Team
from governance.people.queries.people import teams_of
from governance.people.rules import sees_everything
from reviews.requests.enums import ENVIRONMENTS
from reviews.workloads.queries.workloads import OPEN, ClusterView, WorkloadSelection

APPROVALS = [
    (OPEN, "Nobody approved it"),
    ("denied", "Denied"),
    ("unknown", "Unknown"),
    ("conditional", "Authorized with conditions"),
    ("authorized", "Authorized"),
    ("claimed", "Authorized by a claim only"),
    ("all", "Everything"),
]


class WorkloadFilterForm(forms.Form):
    """The filters of the list. An unknown choice filters nothing."""

    q = forms.CharField(label="Search", required=False, widget=forms.TextInput(attrs={"type": "search"}))
    approval = forms.ChoiceField(label="Answer", required=False, choices=APPROVALS)
    team = forms.ChoiceField(label="Team", required=False)
    environment = forms.ChoiceField(label="Environment", required=False, choices=[("", "Any"), *ENVIRONMENTS])
    cluster = forms.ChoiceField(label="Cluster", required=False)

    def __init__(self, *args: Any, person: Person, clusters: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: dict[str, Any] = self.fields
        fields["team"].choices = [("", "Any"), *((team.slug, team.name) for team in _teams(person))]
        fields["cluster"].choices = [("", "Any"), *((name, name) for name in dict.fromkeys(clusters))]

    @property
    def filters(self) -> WorkloadSelection:
        """The filters of a bound form."""
        self.is_valid()
        data = self.cleaned_data
        texts = {name: data.get(name, "") for name in ("team", "environment", "cluster")}
        return WorkloadSelection(search=data.get("q", ""), approval=data.get("approval") or OPEN, **texts)


class ClusterRemovalForm(forms.Form):
    """Which cluster is gone, and why."""

    cluster = forms.CharField(max_length=80, widget=forms.HiddenInput)
    environment = forms.ChoiceField(choices=ENVIRONMENTS, widget=forms.HiddenInput)
    reason = forms.CharField(label="Why is it gone?", max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))

    @classmethod
    def of(cls, row: ClusterView) -> "ClusterRemovalForm":
        """The form that removes this cluster."""
        initial = {"cluster": row.cluster, "environment": row.environment}
        return cls(initial=initial, auto_id=f"remove-{row.id}-%s")


def _teams(person: Person) -> list[Team]:
    """The teams whose workloads the person sees."""
    return list(Team.objects.order_by("name")) if sees_everything(person) else teams_of(person)
