"""What the site is and how its one project is set up: account, permissions, screens, statuses. And what
screens refuse.
"""

from dataclasses import dataclass, field
from typing import Any

from tests.standins.jira import adf

Json = dict[str, Any]
Answer = tuple[int, Any]

ACCOUNT = "5b10ac8d82e05b22cc7d4ef5"
TEXT_CHARS_MAX = 32_767
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
PERMISSIONS = ("BROWSE_PROJECTS", "CREATE_ISSUES", "ADD_COMMENTS", "TRANSITION_ISSUES", "LINK_ISSUES", "EDIT_ISSUES")


@dataclass(slots=True)
class Config:
    """How this site is set up; `/_config` changes it while it runs."""

    email: str = "bot@example.com"
    token: str = "standin-token"
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
            "duedate": "Due date",
            "customfield_10020": "Cost center",
        }
    )
    required: list[str] = field(default_factory=lambda: ["summary", "issuetype", "project"])
    denied: list[str] = field(default_factory=list)
    limits_writes: bool = True
    """Whether one issue takes only so many writes, see `limits`."""
    ways: dict[str, list[str]] = field(default_factory=dict)
    """Status name to the status names it leads to; a status not named leads everywhere."""


class About:
    """The answers that do not depend on any issue. Every public answer is (status, body)."""

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
            "self": f"{self.url}/rest/api/3/project/10000",
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
                "schema": {"type": "string", "system": name},
            }
            for name, label in self.config.screen.items()
        ]
        return 200, {"fields": fields, "maxResults": 50, "startAt": 0, "total": len(fields)}

    def user(self, account: str = ACCOUNT) -> Json:
        name = "Weighbridge" if account == ACCOUNT else "Somebody Else"
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
            "self": f"{self.url}/rest/api/3/status/{number}",
            "statusCategory": CATEGORIES[category],
        }

    def statuses(self) -> Answer:
        return 200, [self.status(number) for number in STATUSES]

    def type_name(self, said: Json) -> str:
        return ISSUE_TYPES.get(
            str(said.get("id")), said.get("name", "") if said.get("name") in ISSUE_TYPES.values() else ""
        )

    def problems(self, fields: Json) -> dict[str, str]:
        """What the create screen refuses, by field."""
        problems = {
            name: f"{self.config.screen.get(name, name)} is required."
            for name in self.config.required
            if not fields.get(name)
        }
        for name in fields:
            if name not in self.config.screen:
                problems[name] = f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."
        if "project" not in problems and (fields["project"].get("key") or fields["project"].get("id")) not in {
            self.config.project,
            "10000",
        }:
            problems["project"] = "valid project is required"
        if "issuetype" not in problems and not self.type_name(fields["issuetype"]):
            problems["issuetype"] = "Specify a valid issue type"
        return problems | _text_problems(fields)


def _text_problems(fields: Json) -> dict[str, str]:
    problems: dict[str, str] = {}
    summary = fields.get("summary") or ""
    if "\n" in summary:
        problems["summary"] = "The summary is invalid because it contains newline characters."
    if len(summary) > 255:
        problems["summary"] = "Summary must be less than 255 characters."
    if any(" " in label for label in fields.get("labels", [])):
        problems["labels"] = "The label contains spaces which is invalid."
    if "description" in fields and (fault := adf.fault_in(fields["description"])):
        problems["description"] = (
            f"Operation value must be an Atlassian Document (see the Atlassian Document Format): {fault}"
        )
    elif adf.text_length(fields.get("description")) > TEXT_CHARS_MAX:
        problems["description"] = "The entered text is too long. It exceeds the allowed limit of 32,767 characters."
    return problems


def errors(*messages: str, **fields: str) -> Json:
    return {"errorMessages": list(messages), "errors": fields}
