"""The connection test: server, account, project, permissions, issue type, fields and statuses. It changes nothing."""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from urllib.parse import quote

from reviews.tickets.domain.field_values import FIELD_VALUES, FieldKind, FieldTarget, kinds_for, values_for
from reviews.tickets.domain.fixed_values import is_settable, paragraph_of, refusal_of
from reviews.tickets.domain.routing import Work
from reviews.tickets.jira.client import JiraClient, Json, identifier, label
from reviews.tickets.jira.fields import FILLED_BY_US, field_choice
from reviews.tickets.jira.settings import JiraSettings
from reviews.tickets.ports import (
    NAME_CHARS_MAX,
    SIGN_IN,
    CheckStep,
    CredentialRefused,
    FieldChoice,
    Misconfigured,
    TrackerError,
    TrackerHealth,
    category_key,
)

_REQUIRED_PERMISSIONS = {
    "CREATE_ISSUES": "create issues",
    "ADD_COMMENTS": "add comments",
    "TRANSITION_ISSUES": "transition issues",
    "LINK_ISSUES": "link issues",
    "CREATE_ATTACHMENTS": "attach files",
}
_TO_FILL = {"EDIT_ISSUES": "edit issues"}
_NAMED_MAX = 20


class ConnectionTest:
    """One test, step by step, up to the first problem that would prevent opening a ticket."""

    def __init__(self, settings: JiraSettings) -> None:
        self._settings = settings
        self._steps: list[CheckStep] = []
        self._name = "Server"
        self._account = ""
        self._sentence = ""

    def run(self, client: JiraClient) -> None:
        """Ask for everything in order. Raises what the client raises, and Misconfigured."""
        self._step("Server", lambda: f"The server answers as {client.identify().words}.")
        self._step(SIGN_IN, lambda: self._sign_in(client))
        self._sentence = f"Connected as {self._account}. No project is chosen yet."
        if not self._settings.project:
            return
        name = ""

        def project() -> str:
            nonlocal name
            found = client.get_json(f"project/{quote(self._settings.project, safe='')}")
            name = label(found["name"], chars_max=NAME_CHARS_MAX)
            return f"The project {name} ({self._settings.project}) is visible."

        self._step("Project", project)
        self._step("Permissions", lambda: _check_permissions(client, self._settings))
        fields: list[Json] = []

        def issue_type() -> str:
            fields.extend(_fields(client, self._settings))
            return f"Issues of type {self._settings.issue_type} can be created."

        self._step("Issue type", issue_type)
        self._step("Fields", lambda: _check_fields(fields, self._settings))
        if self._settings.statuses:
            self._step("Statuses", lambda: _check_statuses(client, self._settings))
        self._sentence = (
            f"Connected as {self._account}: tickets open in {name} ({self._settings.project}) as "
            f"{self._settings.issue_type}."
        )

    def fail(self, error: TrackerError) -> None:
        """End the test at the present step. A refused credential is about the account, wherever Jira says so."""
        name = SIGN_IN if isinstance(error, CredentialRefused) else self._name
        self._steps.append(CheckStep(name, ok=False, sentence=error.reason))
        self._sentence = error.reason

    def result(self, *, retry_after_s: float | None = None) -> TrackerHealth:
        """What the test found."""
        return TrackerHealth(
            ok=all(step.ok for step in self._steps),
            sentence=self._sentence,
            account=self._account,
            retry_after_s=retry_after_s,
            steps=tuple(self._steps),
        )

    def _step(self, name: str, ask: Callable[[], str]) -> None:
        self._name = name
        self._steps.append(CheckStep(name, ok=True, sentence=ask()))

    def _sign_in(self, client: JiraClient) -> str:
        given = client.get_json("myself").get("displayName") or self._settings.email or "unknown"
        self._account = label(given, chars_max=NAME_CHARS_MAX)
        return f"Jira accepts the credential of {self._account}."


def _check_permissions(client: JiraClient, settings: JiraSettings) -> str:
    needed = _REQUIRED_PERMISSIONS | (_TO_FILL if settings.field_map else {})
    answer = client.get_json("mypermissions", projectKey=settings.project, permissions=",".join(needed))
    granted = {name for name, entry in answer["permissions"].items() if entry["havePermission"]}
    if missing := [words for name, words in needed.items() if name not in granted]:
        who = settings.account[:1].upper() + settings.account[1:]
        raise Misconfigured(
            f"{who} may not {_joined(missing)} in project {settings.project}: grant it these permissions."
        )
    return f"The account may {_joined(needed.values())}."


def _fields(client: JiraClient, settings: JiraSettings) -> list[Json]:
    types = settings.flavor.issue_types(client, settings.project)
    for kind in types:
        if kind["name"].casefold() == settings.issue_type.casefold():
            return settings.flavor.fields(client, settings.project, identifier(kind["id"]))
    raise Misconfigured(
        f"Project {settings.project} has no issue type {settings.issue_type}: choose one of "
        f"{_joined(label(kind['name']) for kind in types)} for the route."
    )


def _check_fields(fields: list[Json], settings: JiraSettings) -> str:
    names = {label(field["fieldId"]): label(field["name"]) for field in fields}
    if "labels" not in names:
        raise Misconfigured(
            f"The create screen of {settings.issue_type} in project {settings.project} lacks the field Labels: add it. "
            "Weighbridge needs the label to find a ticket again.",
            fields=("labels",),
        )
    if unknown := sorted(set(settings.fields) - set(names)):
        raise Misconfigured(
            f"The route sets {_joined(unknown)}, which the create screen of {settings.issue_type} lacks: remove it "
            "from the route or add it to the screen.",
            fields=tuple(unknown),
        )
    choices = {choice.id: choice for choice in (field_choice(field, settings.flavor) for field in fields)}
    for value, target in settings.field_map.items():
        _check_target(choices, value, target, settings)
    for name, value in settings.fields.items():
        if choices[name].kind == FieldKind.PARAGRAPH and paragraph_of(value) is None:
            raise Misconfigured(
                f"The route sets {name} as one line, but Jira takes a paragraph: enter its value again in the route.",
                fields=(name,),
            )
    _check_required(choices, settings)
    return "Weighbridge can fill every required field."


def _check_required(choices: Mapping[str, FieldChoice], settings: JiraSettings) -> None:
    always = {target.id for name, target in settings.field_map.items() if name in values_for(settings.work)}
    required = {choice.id: choice for choice in choices.values() if choice.is_required}
    missing = sorted(set(required) - (FILLED_BY_US | set(settings.fields) | always))
    of_requests = {target.id for name, target in settings.field_map.items() if name in values_for(Work.REVIEW)}
    if lacking := [required[name] for name in missing if name in of_requests]:
        advice = (
            "enter a value that is the same in every ticket"
            if settings.work
            else "set up a route of its own for action items"
        )
        raise Misconfigured(
            f"Project {settings.project} requires {_named(lacking)} in every ticket, and the value that the route puts "
            f"there is one that only requests have: {advice}.",
            fields=tuple(choice.id for choice in lacking),
        )
    if refused := [required[name] for name in missing if not is_settable(required[name])]:
        raise Misconfigured(refusal_of(refused[0]), fields=tuple(choice.id for choice in refused))
    if missing:
        wanted = _named(required[name] for name in missing)
        raise Misconfigured(
            f"Project {settings.project} requires {wanted} in every ticket: set a value in the route.",
            fields=tuple(missing),
        )


def _named(choices: Iterable[FieldChoice]) -> str:
    return _joined(f"{choice.name} ({choice.id})" for choice in choices)


def _check_target(choices: Mapping[str, FieldChoice], name: str, target: FieldTarget, settings: JiraSettings) -> None:
    if target.id not in choices:
        raise Misconfigured(
            f"The route fills {target.id}, which the create screen of {settings.issue_type} lacks: choose another "
            "field in the route, or add it to the screen.",
            fields=(target.id,),
        )
    kind = choices[target.id].kind
    if kind != target.kind:
        raise Misconfigured(
            f"The route fills {target.id} as {target.kind}, but Jira says that it is {kind or 'unknown'}: "
            "choose the field again in the route.",
            fields=(target.id,),
        )
    if target.kind not in kinds_for(name):
        raise Misconfigured(
            f"The route fills {target.id} with {FIELD_VALUES[name].label}, which does not fit a field of the type "
            f"{target.kind}: choose another field in the route.",
            fields=(target.id,),
        )
    lacking = [option for option in FIELD_VALUES[name].options if option not in choices[target.id].options]
    if target.kind == FieldKind.OPTION and lacking:
        raise Misconfigured(
            f"The list {choices[target.id].name} ({target.id}), in which the route puts {FIELD_VALUES[name].label}, "
            f"lacks {_joined(lacking)}: add these options in Jira, or choose another field in the route.",
            fields=(target.id,),
        )


def _check_statuses(client: JiraClient, settings: JiraSettings) -> str:
    types = settings.flavor.statuses(client, settings.project)
    named = [kind for kind in types if str(kind.get("name", "")).casefold() == settings.issue_type.casefold()]
    names: dict[str, str] = {}
    for kind in named or types:
        for status in kind["statuses"]:
            category = status.get("statusCategory", {})
            for text in (status["name"], category.get("name", ""), category.get("key", "")):
                names[str(text).casefold()] = label(status["name"])
    wanted = settings.statuses
    if missing := [status for status in wanted if not {status.casefold(), category_key(status)} & names.keys()]:
        offered = sorted(set(names.values()))
        raise Misconfigured(
            f"The workflow of {settings.issue_type} has no status {_joined(missing)}: choose one of {_joined(offered)} "
            "in the route."
        )
    return f"The workflow has every status of the route: {_joined(dict.fromkeys(settings.statuses))}."


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(islice(texts, _NAMED_MAX))
