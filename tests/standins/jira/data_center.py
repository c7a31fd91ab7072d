"""A stand-in of Jira Data Center 9 and 10, written from Atlassian's REST documentation of Jira Data Center alone.

It keeps its issues as the Cloud stand-in does, but speaks API version 2: bodies are wiki markup (plain text), users
have a name and a key, `search` has a start and a total, a create screen is a page of `values`, changes are expanded
inside an issue. What only Cloud has is not there, and a body in ADF is refused.
"""

from tests.standins.jira.about import (
    ACCOUNT,
    ISSUE_TYPES,
    PERMISSIONS,
    TEXT_CHARS_MAX,
    TOO_LONG,
    About,
    Answer,
    Json,
    errors,
)
from tests.standins.jira.issues import Issues

NO_STRING = "Operation value must be a string"
NOT_DESERIALIZED = "Can not deserialize instance of java.lang.String out of START_OBJECT token"


class ServerAbout(About):
    """What a Data Center says about itself and its one project."""

    root = "/rest/api/2"
    takes_basic, takes_bearer = False, True
    version = "10.3.1"

    def server_info(self) -> Answer:
        numbers = [int(text) for text in self.version.split(".")]
        return 200, {
            "baseUrl": self.url,
            "version": self.version,
            "versionNumbers": numbers,
            "deploymentType": self.config.deployment,
            "buildNumber": 10_030_001,
            "buildDate": "2026-02-01T00:00:00.000+0000",
            "scmInfo": "0" * 40,
            "serverTitle": "Jira stand-in",
        }

    def user(self, account: str = ACCOUNT) -> Json:
        known = self.config.people.get(account, {})
        name = "Weighbridge" if account == ACCOUNT else known.get("name", "Somebody Else")
        return {
            "self": f"{self.url}/rest/api/2/user?username={account}",
            "key": account,
            "name": "weighbridge" if account == ACCOUNT else account.lower(),
            "displayName": name,
            "active": True,
            "emailAddress": self.config.email if account == ACCOUNT else known.get("email", ""),
            "timeZone": "UTC",
        }

    def myself(self) -> Answer:
        return 200, self.user() | {"locale": "en_UK", "groups": {"size": 1, "items": []}}

    def projects(self) -> Answer:
        project = {"id": "10000", "key": self.config.project, "name": self.config.project_name}
        return 200, [project | {"projectTypeKey": "software", "self": f"{self.url}/rest/api/2/project/10000"}]

    def my_permissions(self, names: str) -> Answer:
        """All of them, whatever was asked for: there is no such parameter."""
        held = {
            name: {"id": str(number), "key": name, "name": name, "type": "PROJECT", "description": ""}
            | {"havePermission": name not in self.config.denied}
            for number, name in enumerate((*PERMISSIONS, "ADMINISTER_PROJECTS", "WORK_ON_ISSUES"))
        }
        return 200, {"permissions": held}

    def issue_types(self, project: str) -> Answer:
        if project != self.config.project:
            return 404, errors(f"No project could be found with key '{project}'.")
        kinds = [
            {"self": f"{self.url}/rest/api/2/issuetype/{number}", "id": number, "description": "", "name": name}
            | {"subtask": False}
            for number, name in ISSUE_TYPES.items()
        ]
        return 200, {"maxResults": 50, "startAt": 0, "total": len(kinds), "isLast": True, "values": kinds}

    def issue_type_fields(self, number: str) -> Answer:
        status, answer = super().issue_type_fields(number)
        if status != 200:
            return status, answer
        values = [{name: value for name, value in field.items() if name != "key"} for field in answer["fields"]]
        return 200, {"maxResults": 50, "startAt": 0, "total": len(values), "isLast": True, "values": values}

    def users(self, query: str) -> Answer:
        """By name or e-mail address, whether the user shows it or not."""
        wanted = query.casefold()
        found = [
            self.user(account)
            for account, known in self.config.people.items()
            if wanted in {account.casefold(), known.get("email", "").casefold()}
        ]
        return 200, found

    def text_problems(self, fields: Json) -> dict[str, str]:
        for name in {"description", *self.config.paragraphs} & set(fields):
            if not isinstance(fields[name], str):
                return {name: NO_STRING}
        if len(fields.get("description", "")) > TEXT_CHARS_MAX:
            return {"description": TOO_LONG}
        return {}


class ServerIssues(Issues):
    """Issues whose texts are plain, and whose changes are part of them."""

    def body_problem(self, body: object) -> Answer | None:
        if not isinstance(body, str):
            return 400, errors(NOT_DESERIALIZED)
        if len(body) > TEXT_CHARS_MAX:
            return 400, errors("", comment="The entered text is too long. It exceeds the allowed limit.")
        return None if body.strip() else (400, errors("", comment="Comment body can not be empty!"))

    def issue(self, name: str, wanted: list[str], expand: str = "") -> Answer:
        status, answer = super().issue(name, wanted)
        if status != 200 or "changelog" not in expand.split(","):
            return status, answer
        with self.lock:
            found = self._find(name)
            history = found.get("history", []) if found else []
        log = {"startAt": 0, "maxResults": len(history), "total": len(history), "histories": history}
        return 200, answer | {"changelog": log, "expand": "changelog"}

    def searched(self, query: Json) -> Answer:
        """A page from `startAt`, with the total. A validated query refuses an id that is not there."""
        text, wanted = query["jql"], query.get("fields") or []
        if not isinstance(text, str) or not isinstance(query.get("startAt", 0), int):
            return 400, errors("Invalid request payload. Refer to the REST API documentation and try again.")
        if query.get("validateQuery", True) is not False and (missing := self._missing_ids(text)):
            return 400, errors(f"A value with ID '{missing}' does not exist for the field 'id'.")
        status, answer = self.search(text, wanted, 10_000)
        if status != 200:
            return status, answer
        start, count = query.get("startAt", 0), min(1000, query.get("maxResults", 50))
        shown = answer["issues"][start : start + count]
        return 200, {
            "expand": "names,schema",
            "startAt": start,
            "maxResults": count,
            "total": len(answer["issues"]),
            "issues": shown,
        }

    def _missing_ids(self, text: str) -> str:
        head, _, rest = text.partition("id in (")
        ids = [each.strip() for each in rest.partition(")")[0].split(",")] if not head.strip() and rest else []
        with self.lock:
            return next((each for each in ids if self._find(each) is None), "")
