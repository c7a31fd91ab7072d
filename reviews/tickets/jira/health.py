"""The connection test: account, project, permissions, issue type and fields. It changes nothing in Jira."""

from collections.abc import Iterable
from itertools import islice
from urllib.parse import quote

from reviews.tickets.jira.client import JiraClient, Json, identifier, label
from reviews.tickets.jira.settings import JiraSettings
from reviews.tickets.ports import NAME_CHARS_MAX, Misconfigured, TrackerHealth

_REQUIRED_PERMISSIONS = {
    "CREATE_ISSUES": "create issues",
    "ADD_COMMENTS": "add comments",
    "TRANSITION_ISSUES": "transition issues",
    "LINK_ISSUES": "link issues",
}
_FILLED_BY_US = frozenset({"project", "issuetype", "summary", "description", "labels"})
_PAGE, _NAMED_MAX = "200", 20


def check_connection(client: JiraClient, settings: JiraSettings) -> TrackerHealth:
    """The first problem that would prevent opening a ticket, or success. Raises TrackerError."""
    account = label(client.get_json("myself").get("displayName", settings.email), chars_max=NAME_CHARS_MAX)
    project = client.get_json(f"project/{quote(settings.project, safe='')}")
    try:
        _check_permissions(client, settings)
        _check_fields(_fields(client, settings), settings)
    except Misconfigured as error:
        return TrackerHealth(ok=False, sentence=error.reason, account=account)
    name = label(project["name"], chars_max=NAME_CHARS_MAX)
    sentence = f"Connected as {account}: tickets open in {name} ({settings.project}) as {settings.issue_type}."
    return TrackerHealth(ok=True, sentence=sentence, account=account)


def _check_permissions(client: JiraClient, settings: JiraSettings) -> None:
    answer = client.get_json("mypermissions", projectKey=settings.project, permissions=",".join(_REQUIRED_PERMISSIONS))
    granted = {name for name, entry in answer["permissions"].items() if entry["havePermission"]}
    if missing := [words for name, words in _REQUIRED_PERMISSIONS.items() if name not in granted]:
        raise Misconfigured(
            f"The account {settings.email} may not {_joined(missing)} in project {settings.project}: grant it these "
            "permissions."
        )


def _fields(client: JiraClient, settings: JiraSettings) -> list[Json]:
    path = f"issue/createmeta/{quote(settings.project, safe='')}/issuetypes"
    types = client.get_json(path, maxResults=_PAGE)["issueTypes"]
    for kind in types:
        if kind["name"].casefold() == settings.issue_type.casefold():
            fields: list[Json] = client.get_json(f"{path}/{identifier(kind['id'])}", maxResults=_PAGE)["fields"]
            return fields
    raise Misconfigured(
        f"Project {settings.project} has no issue type {settings.issue_type}: set JIRA_ISSUE_TYPE to one of "
        f"{_joined(label(kind['name']) for kind in types)}."
    )


def _check_fields(fields: list[Json], settings: JiraSettings) -> None:
    names = {label(field["fieldId"]): label(field["name"]) for field in fields}
    if "labels" not in names:
        raise Misconfigured(
            f"The create screen of {settings.issue_type} in project {settings.project} lacks the field Labels: add it. "
            "Weighbridge needs the label to find a ticket again.",
            fields=("labels",),
        )
    if unknown := sorted(set(settings.fields) - set(names)):
        raise Misconfigured(
            f"JIRA_FIELDS sets {_joined(unknown)}, which the create screen of {settings.issue_type} lacks: remove it "
            "from JIRA_FIELDS or add it to the screen.",
            fields=tuple(unknown),
        )
    required = {label(field["fieldId"]) for field in fields if field["required"] and not field.get("hasDefaultValue")}
    if missing := sorted(required - _FILLED_BY_US - set(settings.fields)):
        raise Misconfigured(
            f"Project {settings.project} requires {_joined(f'{names[name]} ({name})' for name in missing)} in every "
            "ticket: set a value in JIRA_FIELDS.",
            fields=tuple(missing),
        )


def _joined(texts: Iterable[str]) -> str:
    return ", ".join(islice(texts, _NAMED_MAX))
