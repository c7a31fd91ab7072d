"""What the site is and how its one project is set up: account, permissions, screens, statuses. And what
screens refuse.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.standins.jira import adf

Json = dict[str, Any]
Answer = tuple[int, Any]

ACCOUNT = "5b10ac8d82e05b22cc7d4ef5"
TEXT_CHARS_MAX = 32_767
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
CATEGORIES = {
    "new": {"id": 2, "key": "new", "name": "To Do", "colorName": "blue-gray"},
    "indeterminate": {"id": 4, "key": "indeterminate", "name": "In Progress", "colorName": "yellow"},
    "done": {"id": 3, "key": "done", "name": "Done", "colorName": "green"},
}
STATUSES = {
    "10000": ("To Do", "new"),
    "10001": ("In Progress", "indeterminate"),
    "10002": ("In Review", "indeterminate"),
    "10003": ("Done", "done"),
    "10004": ("Won't Do", "done"),
}
ISSUE_TYPES = {"10001": "Task", "10002": "Bug", "10003": "Model Review"}
TEXT_AREA = "com.atlassian.jira.plugin.system.customfieldtypes:textarea"
TOO_LONG = "The entered text is too long. It exceeds the allowed limit of 32,767 characters."
PERMISSIONS = (
    "BROWSE_PROJECTS",
    "CREATE_ISSUES",
    "ADD_COMMENTS",
    "TRANSITION_ISSUES",
    "LINK_ISSUES",
    "EDIT_ISSUES",
    "CREATE_ATTACHMENTS",
)


@dataclass(slots=True)
class Config:
    """How this site is set up; `/_config` changes it while it runs."""

    email: str = "bot@example.com"
    token: str = "standin-token"
    client_id: str = "standin-app"
    client_secret: str = "standin-app-secret"
    cloud_sites: dict[str, str] = field(default_factory=dict)
    """Cloud id to address of the sites that the account opens to an app; this one, unless a test says otherwise."""
    project: str = "MR"
    project_name: str = "Model Reviews"
    deployment: str = "Cloud"
    index_lag_s: float = 0.0
    screen: dict[str, str] = field(
        default_factory=lambda: {
            "summary": "Summary",
            "issuetype": "Issue Type",
            "project": "Project",
            "description": "Description",
            "labels": "Labels",
            "priority": "Priority",
            "components": "Components",
            "duedate": "Due date",
            "customfield_10020": "Cost center",
            "customfield_10031": "Cost of a year",
            "customfield_10032": "GPU hours",
            "customfield_10033": "Risk tier",
            "customfield_10034": "Decision",
            "customfield_10035": "Authorized until",
            "customfield_10036": "Review request",
        }
    )
    types: dict[str, str] = field(
        default_factory=lambda: {
            "priority": "priority",
            "components": "array",
            "customfield_10031": "number",
            "customfield_10032": "number",
            "customfield_10034": "option",
            "customfield_10035": "date",
        }
    )
    """The type of a field in its `schema`; "string" where none stands here."""
    paragraphs: list[str] = field(default_factory=lambda: ["environment"])
    """The fields whose text has several lines; their type is "string" too."""
    items: dict[str, str] = field(default_factory=lambda: {"components": "component"})
    """The type of the values of an array, in its `schema`."""
    options: dict[str, list[dict[str, str]]] = field(
        default_factory=lambda: {
            "priority": [{"id": "2", "name": "High"}, {"id": "3", "name": "Medium"}],
            "components": [{"id": "1", "name": "Review"}],
            "customfield_10034": [
                {"id": "1", "value": "Approved"},
                {"id": "2", "value": "Rejected"},
                {"id": "3", "value": "Approved with conditions"},
            ],
        }
    )
    """The values that a field allows, where it lists them."""
    people: dict[str, dict[str, str]] = field(default_factory=dict)
    """Other users by account: their `name` and `email`."""
    required: list[str] = field(default_factory=lambda: ["summary", "issuetype", "project"])
    denied: list[str] = field(default_factory=list)
    limits_writes: bool = True
    """Whether one issue takes only so many writes, see `limits`."""
    ways: dict[str, list[str]] = field(default_factory=dict)
    """Status name to the status names it leads to; a status not named leads everywhere."""


class About:
    """The answers that do not depend on any issue. Every public answer is (status, body)."""

    root = "/rest/api/3"
    takes_basic, takes_bearer = True, False

    def __init__(self, config: Config) -> None:
        self.config = config
        self.url = ""

    def server_info(self) -> Answer:
        return 200, {
            "baseUrl": self.url,
            "version": "1001.0.0-SNAPSHOT",
            "versionNumbers": [1001, 0, 0],
            "deploymentType": self.config.deployment,
            "buildNumber": 100_300,
            "serverTitle": "Jira stand-in",
        }

    def myself(self) -> Answer:
        return 200, self.user() | {"emailAddress": self.config.email, "timeZone": "UTC", "locale": "en_GB"}

    def project(self, name: str) -> Answer:
        if name not in {self.config.project, "10000"}:
            return 404, errors(f"No project could be found with key '{name}'.")
        return 200, {
            "id": "10000",
            "key": self.config.project,
            "name": self.config.project_name,
            "self": f"{self.url}{self.root}/project/10000",
        }

    def my_permissions(self, names: str) -> Answer:
        held = {
            name: {
                "id": str(number),
                "key": name,
                "name": name,
                "type": "PROJECT",
                "description": "",
                "havePermission": name in PERMISSIONS and name not in self.config.denied,
            }
            for number, name in enumerate(names.split(","))
        }
        return 200, {"permissions": held}

    def fields(self) -> Answer:
        return 200, [
            {"id": name, "key": name, "name": label, "custom": name.startswith("customfield"), "clauseNames": [name]}
            for name, label in self.config.screen.items()
        ]

    def issue_types(self, project: str) -> Answer:
        if project != self.config.project:
            return 404, errors(f"No project could be found with key '{project}'.")
        kinds = [
            {"id": number, "name": name, "subtask": False, "self": f"{self.url}/rest/api/3/issuetype/{number}"}
            for number, name in ISSUE_TYPES.items()
        ]
        return 200, {"issueTypes": kinds, "maxResults": 50, "startAt": 0, "total": len(kinds)}

    def issue_type_fields(self, number: str) -> Answer:
        if number not in ISSUE_TYPES:
            return 404, errors("The issue type selected is invalid.")
        fields = [
            {
                "fieldId": name,
                "key": name,
                "name": label,
                "required": name in self.config.required,
                "hasDefaultValue": False,
                "operations": ["set"],
                "schema": {"type": self.config.types.get(name, "string")}
                | ({"custom": TEXT_AREA} if self._is_text_area(name) else {"system": name})
                | ({"items": self.config.items[name]} if name in self.config.items else {}),
                **({"allowedValues": self.config.options[name]} if name in self.config.options else {}),
            }
            for name, label in self.config.screen.items()
        ]
        return 200, {"fields": fields, "maxResults": 50, "startAt": 0, "total": len(fields)}

    def _is_text_area(self, name: str) -> bool:
        return name in self.config.paragraphs and name.startswith("customfield")

    def user(self, account: str = ACCOUNT) -> Json:
        known = self.config.people.get(account, {})
        name = "Weighbridge" if account == ACCOUNT else known.get("name", "Somebody Else")
        return {
            "accountId": account,
            "accountType": "atlassian",
            "active": True,
            "displayName": name,
            "self": f"{self.url}/rest/api/3/user?accountId={account}",
        }

    def status(self, number: str) -> Json:
        name, category = STATUSES[number]
        return {
            "id": number,
            "name": name,
            "self": f"{self.url}{self.root}/status/{number}",
            "statusCategory": CATEGORIES[category],
        }

    def statuses(self) -> Answer:
        return 200, [self.status(number) for number in STATUSES]

    def statuses_of(self, project: str) -> Answer:
        """The statuses of each issue type of the project."""
        if project != self.config.project:
            return 404, errors(f"No project could be found with key '{project}'.")
        kinds = [
            {"id": number, "name": name, "subtask": False, "statuses": self.statuses()[1]}
            | {"self": f"{self.url}{self.root}/issuetype/{number}"}
            for number, name in ISSUE_TYPES.items()
        ]
        return 200, kinds

    def projects(self) -> Answer:
        """The paged search for projects."""
        project = {"id": "10000", "key": self.config.project, "name": self.config.project_name}
        shown = project | {"self": f"{self.url}{self.root}/project/10000", "projectTypeKey": "software"}
        return 200, {"values": [shown], "startAt": 0, "maxResults": 50, "total": 1, "isLast": True}

    def users(self, query: str) -> Answer:
        """By e-mail address; users who hide theirs are not found."""
        found = [
            account for account, known in self.config.people.items() if query and known.get("email") == query.lower()
        ]
        return 200, [self.user(account) for account in found]

    def type_name(self, said: Json) -> str:
        return ISSUE_TYPES.get(
            str(said.get("id")), said.get("name", "") if said.get("name") in ISSUE_TYPES.values() else ""
        )

    def problems(self, fields: Json) -> dict[str, str]:
        """What the create screen refuses, by field."""
        return common_problems(self.config, fields, self.type_name) | self.text_problems(fields)

    def text_problems(self, fields: Json) -> dict[str, str]:
        """What is no text as this flavor writes it, or too long."""
        for name in {"description", *self.config.paragraphs} & set(fields):
            if fault := adf.fault_in(fields[name]):
                words = f"Operation value must be an Atlassian Document (see the Atlassian Document Format): {fault}"
                return {name: words}
        return {"description": TOO_LONG} if adf.text_length(fields.get("description")) > TEXT_CHARS_MAX else {}


def common_problems(config: Config, fields: Json, type_name: Callable[[Json], str]) -> dict[str, str]:
    """What every flavor refuses: absent and unknown fields, other projects and types, values of another type."""
    problems = {
        name: f"{config.screen.get(name, name)} is required." for name in config.required if not fields.get(name)
    }
    problems |= value_problems(config, fields)
    project = (fields.get("project") or {}).get("key") or (fields.get("project") or {}).get("id")
    if "project" not in problems and project not in {config.project, "10000"}:
        problems["project"] = "valid project is required"
    if "issuetype" not in problems and not type_name(fields["issuetype"]):
        problems["issuetype"] = "Specify a valid issue type"
    summary = fields.get("summary") or ""
    if "\n" in summary:
        problems["summary"] = "The summary is invalid because it contains newline characters."
    if len(summary) > 255:
        problems["summary"] = "Summary must be less than 255 characters."
    if any(" " in label for label in fields.get("labels", [])):
        problems["labels"] = "The label contains spaces which is invalid."
    return problems


def value_problems(config: Config, fields: Json) -> dict[str, str]:
    """Fields that are on no screen, and values that are not of the type of their field."""
    problems: dict[str, str] = {}
    for name, value in fields.items():
        kind, is_long = config.types.get(name, "string"), name in config.paragraphs
        if value is None and name in config.screen and name not in config.required:
            continue
        if name not in config.screen:
            problems[name] = f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."
        elif kind == "number" and (isinstance(value, bool) or not isinstance(value, int | float)):
            problems[name] = "Operation value must be a number"
        elif kind == "date" and not (isinstance(value, str) and DATE.fullmatch(value)):
            problems[name] = f"Error parsing date string: {value}"
        elif (kind == "option" or (kind != "array" and name in config.options)) and not _is_one(
            config.options.get(name, []), kind, value
        ):
            problems[name] = "Could not find valid 'id' or 'value' in the Parent Option object."
        elif name.startswith("customfield") and kind == "string" and not isinstance(value, str) and not is_long:
            problems[name] = "Operation value must be a string"
        elif kind == "array" and not (isinstance(value, list) and all(_is_item(config, name, v) for v in value)):
            problems[name] = "Operation value must be a list of values of the field"
    return problems


def _is_item(config: Config, name: str, value: Any) -> bool:
    if config.items[name] == "string":
        return isinstance(value, str)
    return _is_one(config.options.get(name, []), config.items[name], value)


def _is_one(options: list[dict[str, str]], kind: str, value: Any) -> bool:
    """Whether the value names one of the options that the field has."""
    named = "value" if kind == "option" else "name"
    known = [(key, option[key]) for option in options for key in ("id", named) if key in option]
    return isinstance(value, dict) and any(item in known for item in value.items())


def errors(*messages: str, **fields: str) -> Json:
    return {"errorMessages": list(messages), "errors": fields}
