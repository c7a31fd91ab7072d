"""The forms of ticket sites and routes. They translate; the actions check."""

from collections.abc import Iterable, Sequence
from typing import Any, cast

from django import forms

from governance.inventory.enums import KINDS
from governance.people.models import Team
from governance.people.web.fields import PersonField
from reviews.ticket_sync.actions.routes import MOVE_MEANINGS
from reviews.ticket_sync.queries.sites import people_to_link
from reviews.tickets.domain.atlassian import SCOPES
from reviews.tickets.domain.field_values import FIELD_VALUES, FieldKind, FieldTarget, kinds_for
from reviews.tickets.domain.fixed_values import ARRAY, as_entered, as_sent, is_settable, refusal_of
from reviews.tickets.domain.moves import MOVES, Meaning
from reviews.tickets.domain.routing import Work
from reviews.tickets.jira.settings import STATUSES
from reviews.tickets.models import CLIENT_ID_CHARS_MAX, WORKS, TicketRoute, TicketSite
from reviews.tickets.ports import CATEGORIES, FieldChoice, RemoteProject

PARAGRAPH_CHARS_MAX = 2_000
UNFILLED = ("", "Not filled")
OFFERED = frozenset({"priority", "components"})
"""Fields that are offered for a fixed value even where the project does not require them."""
OCCASION_WORDS = {"done": "action item done", "dropped": "action item dropped"}
MEANING_WORDS = {
    Meaning.NONE: "means nothing",
    Meaning.WITHDRAW: "withdraws the request",
    Meaning.ACKNOWLEDGE: "acknowledges it",
}


class AddressForm(forms.Form):
    """The name and the address of a site."""

    name = forms.CharField(label="Name", max_length=60, help_text="As it is called on pages, for example Jira.")
    base_url = forms.CharField(
        label="Address",
        max_length=200,
        help_text="The address that you open in a browser, for example https://acme.atlassian.net or "
        "https://jira.acme.com/jira.",
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off"}),
    )


class CredentialForm(forms.Form):
    """The account and its token. What is typed as token is never shown again."""

    account = forms.CharField(label="E-mail address of the account", max_length=254)
    credential = forms.CharField(
        label="API token",
        max_length=4_000,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="It is tested first, stored encrypted, and never shown again.",
    )

    def __init__(self, *args: Any, is_cloud: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not is_cloud:
            del self.fields["account"]
            self.fields["credential"].label = "Personal access token"


class AppForm(forms.Form):
    """The app that the organization registered at Atlassian. Its secret is never shown again."""

    scopes = SCOPES[:-1]
    """The permissions that an app is given in its settings; the last scope is asked for, and needs none."""

    client_id = forms.CharField(label="Client ID", max_length=CLIENT_ID_CHARS_MAX)
    client_secret = forms.CharField(
        label="Secret",
        max_length=4_000,
        strip=True,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="It is stored encrypted once Atlassian gave access, and never shown again.",
    )

    def __init__(self, *args: Any, is_stored: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.button = "Connect again" if is_stored else "Connect with Atlassian"
        if is_stored:
            self.fields["client_secret"].required = False
            self.fields["client_secret"].help_text = "Leave it empty to use the stored one."


class OptionsForm(forms.Form):
    """What a comparison does, and how long the search of the site lags."""

    comparison = forms.ChoiceField(
        label="Regular comparison",
        choices=[
            ("pull", "Read the tickets that differ"),
            ("push", "Move tickets back to the status of the review"),
            ("report", "Only count the differences"),
            ("never", "Never compare"),
        ],
    )
    settle_s = forms.IntegerField(
        label="Lag of the search in seconds",
        min_value=0,
        max_value=3_600,
        help_text="How long the search of Jira may not find a new ticket. Weighbridge waits so long before it looks.",
    )


class ListField(forms.CharField):
    """Texts of a list, separated by commas."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(help_text="Separate several with commas.", **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """A stored list, in one line."""
        return ", ".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> Any:
        """The texts that are not empty."""
        return [text.strip() for text in super().clean(value).split(",") if text.strip()]


class RouteForm(forms.Form):
    """Which tickets a route takes, and where they are opened."""

    team = forms.ModelChoiceField(Team.objects.order_by("name"), label="Team", required=False, empty_label="All teams")
    subject_kind = forms.ChoiceField(label="Kind of model", required=False, choices=[("", "All kinds"), *KINDS])
    work = forms.ChoiceField(label="Tickets about", required=False, choices=[("", "Everything"), *WORKS])
    project = forms.ChoiceField(label="Project")
    issue_type = forms.ChoiceField(label="Issue type", required=False)

    def __init__(
        self, *args: Any, projects: Iterable[RemoteProject], issue_types: Sequence[str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        chosen = [(project.key, f"{project.name} ({project.key})") for project in projects]
        _choices(self, "project", [("", "Choose a project"), *chosen])
        _choices(self, "issue_type", [("", "Choose an issue type"), *((name, name) for name in issue_types)])


class FieldMapForm(forms.Form):
    """Which field holds which of our values, and fixed values for fields that every ticket needs."""

    def __init__(self, *args: Any, route: TicketRoute, choices: Sequence[FieldChoice], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._choices = {choice.id: choice for choice in choices}
        for name, value in FIELD_VALUES.items():
            if route.work == Work.ACTION_ITEM and not value.has_action_item:
                continue
            fitting = [choice for choice in choices if choice.kind in {kind.value for kind in kinds_for(name)}]
            self.fields[name] = forms.ChoiceField(
                label=value.label,
                required=False,
                choices=[UNFILLED, *((choice.id, f"{choice.name} ({choice.kind})") for choice in fitting)],
                initial=route.field_map.get(name, {}).get("id", ""),
            )
        offered = [choice for choice in choices if choice.is_required or choice.id in OFFERED]
        for choice in filter(is_settable, offered):
            self.fields[_fixed(choice)] = _fixed_field(choice, as_entered(route.fields.get(choice.id)))
        self.refusals = [refusal_of(choice) for choice in offered if choice.is_required and not is_settable(choice)]

    def field_map(self) -> dict[str, FieldTarget]:
        """The chosen fields by value."""
        chosen = {name: self.cleaned_data[name] for name in FIELD_VALUES if self.cleaned_data.get(name)}
        return {
            name: FieldTarget(field_id, FieldKind(self._choices[field_id].kind)) for name, field_id in chosen.items()
        }

    def fixed_fields(self) -> dict[str, Any]:
        """The fixed values as Jira takes them, by field id."""
        given = {choice: self.cleaned_data.get(_fixed(choice)) for choice in self._choices.values()}
        return {choice.id: as_sent(choice, value) for choice, value in given.items() if value not in (None, "", [])}


class StatusMapForm(forms.Form):
    """The status for each occasion, and the meaning of a move by a person to each status."""

    def __init__(self, *args: Any, route: TicketRoute, statuses: Sequence[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._statuses = tuple(statuses)
        offered = list(dict.fromkeys([*statuses, *CATEGORIES]))
        for name, usual in STATUSES.items():
            words = OCCASION_WORDS.get(name, name.replace("_", " "))
            self.fields[f"status-{name}"] = forms.ChoiceField(
                label=words[:1].upper() + words[1:],
                required=False,
                choices=[("", f"As usual: {usual}"), *((status, status) for status in offered)],
                initial=route.statuses.get(name, ""),
            )
        for number, status in enumerate(self._statuses):
            meaning_now = MOVES.get(status)
            words = f"As usual: {MEANING_WORDS[Meaning(meaning_now)]}" if meaning_now else "As usual"
            self.fields[f"move-{number}"] = forms.ChoiceField(
                label=f"A move to {status} by a person",
                required=False,
                choices=[("", words), *((meaning.value, MEANING_WORDS[meaning]) for meaning in MOVE_MEANINGS)],
                initial=route.moves.get(status, ""),
            )

    def statuses(self) -> dict[str, str]:
        """The statuses that are not the usual ones, by occasion."""
        return {name: value for name in STATUSES if (value := self.cleaned_data[f"status-{name}"])}

    def moves(self) -> dict[str, str]:
        """The meanings that are not the usual ones, by status."""
        numbered = enumerate(self._statuses)
        return {status: value for number, status in numbered if (value := self.cleaned_data[f"move-{number}"])}


class AccountForm(forms.Form):
    """The account of one person at a site. Whose own account is closed can be named to remove the link."""

    user = PersonField(label="Person")
    account_id = forms.CharField(label="Account", required=False, max_length=128)

    def __init__(self, *args: Any, site: TicketSite, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = cast("PersonField", self.fields["user"])
        field.queryset = people_to_link(site)


def _choices(form: forms.Form, name: str, choices: list[tuple[str, str]]) -> None:
    field = cast("forms.ChoiceField", form.fields[name])
    field.choices = choices


def _fixed(choice: FieldChoice) -> str:
    return f"fixed-{choice.id}"


def _fixed_field(choice: FieldChoice, stored: Any) -> forms.Field:
    """A field for a fixed value. Required ones may stay empty here: one of our values may fill them."""
    label = f"{choice.name}, the same in every ticket"
    options = [(option, option) for option in choice.options]
    if choice.kind == ARRAY and choice.options:
        return forms.MultipleChoiceField(label=label, required=False, choices=options, initial=stored)
    if choice.kind == ARRAY:
        return ListField(label=label, required=False, max_length=255, initial=stored)
    if choice.options:
        return forms.ChoiceField(label=label, required=False, choices=[UNFILLED, *options], initial=stored)
    if choice.kind == FieldKind.NUMBER:
        return forms.FloatField(label=label, required=False, initial=stored)
    if choice.kind == FieldKind.DATE:
        return forms.DateField(
            label=label, required=False, initial=stored, widget=forms.DateInput(attrs={"type": "date"})
        )
    if choice.kind == FieldKind.PARAGRAPH:
        return forms.CharField(
            label=label, required=False, max_length=PARAGRAPH_CHARS_MAX, initial=stored, widget=forms.Textarea
        )
    return forms.CharField(label=label, required=False, max_length=255, initial=stored)
