"""The issues of the site: created, searched, commented, moved, linked. No HTTP here.

Every public method answers (status, body). The lock makes each one a transaction; search sees an issue only
`index_lag_s`
after it was created, as Jira's own index lags behind.
"""

import json
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.standins.jira import adf, jql
from tests.standins.jira.about import ACCOUNT, STATUSES, TEXT_CHARS_MAX, About, Answer, Json, errors, value_problems

LIMITS = ("visibility", "jsdPublic", "properties")
"""The parts of a comment that say who sees it."""


class Issues:
    """The issues. `clock` answers seconds since 1970; `state` is a file that keeps them over a restart."""

    def __init__(self, about: About, *, state: Path | None = None, clock: Callable[[], float] = time.time) -> None:
        self.about = about
        self.lock = threading.RLock()
        self.clock = clock
        self._state = state
        self.issues: list[Json] = []
        self.on_change: Callable[[str, Json], None] = lambda event, issue: None
        if state is not None and state.exists():
            self.issues = json.loads(state.read_text(encoding="utf-8"))

    def create(self, payload: Json, *, strip_labels: bool = False) -> Answer:
        fields = payload.get("fields") or {}
        if problems := self.about.problems(fields):
            return 400, {"errorMessages": [], "errors": problems}
        with self.lock:
            number = len(self.issues) + 1
            labels = [] if strip_labels else fields.get("labels", [])
            issue = {
                "id": str(10_000 + number),
                "key": f"{self.about.config.project}-{number}",
                "created_s": self.clock(),
                "updated_s": self.clock(),
                "status": "10000",
                "fields": fields | {"issuetype": {"name": self.about.type_name(fields["issuetype"])}, "labels": labels},
                "comments": [],
                "links": {},
                "attachments": [],
                "properties": {entry["key"]: entry["value"] for entry in payload.get("properties", [])},
                "history": [],
            }
            self.issues.append(issue)
            self._save()
            self.on_change("jira:issue_created", issue)
        return 201, {
            "id": issue["id"],
            "key": issue["key"],
            "self": f"{self.about.url}{self.about.root}/issue/{issue['id']}",
        }

    def id_of(self, name: str) -> str:
        """The id of the issue with this id or key; the name itself where there is none."""
        with self.lock:
            found = self._find(name)
            return str(found["id"]) if found else name

    def issue(self, name: str, wanted: list[str]) -> Answer:
        with self.lock:
            found = self._find(name)
            return (200, self.shown(found, wanted)) if found else no_issue()

    def search(self, query: str, wanted: list[str], results_max: int, reconcile: Sequence[str | int] = ()) -> Answer:
        """Search as far as the index has come; the issues named in `reconcile` are seen at once."""
        seen, lag_s = {str(name) for name in reconcile}, self.about.config.index_lag_s
        with self.lock:
            indexed = [
                issue
                for issue in self.issues
                if not issue.get("deleted") and (issue["id"] in seen or issue["created_s"] + lag_s <= self.clock())
            ]
            try:
                found = jql.select(indexed, query)
            except jql.NotUnderstood as error:
                return 400, errors(str(error))
            shown = [self.shown(issue, wanted) for issue in found[:results_max]]
            last = len(found) <= results_max
        return 200, {"issues": shown, "isLast": last} | ({} if last else {"nextPageToken": "more"})

    def body_problem(self, body: object) -> Answer | None:
        """What is wrong with the body of a comment."""
        if (fault := adf.fault_in(body)) or adf.text_length(body) > TEXT_CHARS_MAX:
            return 400, errors("Comment body is not valid!", comment=fault or "CONTENT_LIMIT_EXCEEDED")
        return None

    def edit(self, name: str, payload: Json) -> Answer:
        """Set fields as the edit screen allows, which has the same fields as the create screen."""
        fields = payload["fields"]
        with self.lock:
            found = self._find(name)
            if not found:
                return no_issue()
            if problems := value_problems(self.about.config, fields) | self.about.text_problems(fields):
                return 400, {"errorMessages": [], "errors": problems}
            found["fields"] |= fields
            self._touch(found)
        return 204, None

    def attach(self, name: str, form: Json) -> Answer:
        """Store the name and the size of a file that came as a form."""
        with self.lock:
            found = self._find(name)
            if not found:
                return no_issue()
            files = found.setdefault("attachments", [])
            files.append(
                {"id": str(20_000 + len(files)), "filename": form["filename"], "size": form["size"]}
                | {"mimeType": form["type"], "created": moment_of(self.clock()), "author": self.about.user()}
            )
            self._touch(found)
        return 200, [files[-1]]

    def comments(self, name: str, start: int, results_max: int, order: str) -> Answer:
        with self.lock:
            found = self._find(name)
            if not found:
                return no_issue()
            ordered = list(reversed(found["comments"])) if order.startswith("-") else list(found["comments"])
        page = ordered[start : start + results_max]
        return 200, {"comments": page, "startAt": start, "maxResults": results_max, "total": len(ordered)}

    def add_comment(self, name: str, payload: Json, *, author: str = ACCOUNT) -> Answer:
        if (refused := self.body_problem(payload.get("body"))) is not None:
            return refused
        with self.lock:
            found = self._find(name)
            if not found:
                return no_issue()
            moment = moment_of(self.clock())
            found["said"] = found.get("said", 0) + 1  # a number is not used again
            comment = {
                "id": f"{found['id']}{found['said']:03}",
                "author": self.about.user(author),
                "body": payload["body"],
                "created": moment,
                "updated": moment,
            } | {part: payload[part] for part in LIMITS if part in payload}
            found["comments"].append(comment)
            self._touch(found, "comment_created")
        return 201, comment

    def change_comment(self, name: str, comment_id: str, body: Json | None, **limits: Any) -> Answer:
        """As a person edits (`body` ADF), restricts or deletes (None) a comment."""
        with self.lock:
            found = self._find(name)
            known = [each for each in found["comments"] if each["id"] == comment_id] if found else []
            if not found or not known:
                return no_issue()
            if body is None:
                found["comments"] = [each for each in found["comments"] if each["id"] != comment_id]
            else:
                known[0].update(body=body, updated=moment_of(self.clock()), **limits)
            self._touch(found, "comment_deleted" if body is None else "comment_updated")
        return 204, None

    def changelog(self, name: str, start: int, results_max: int) -> Answer:
        """Every move of the status, oldest first, paged."""
        with self.lock:
            found = self._find(name)
            if not found:
                return no_issue()
            history = found.get("history", [])
        page = history[start : start + results_max]
        return 200, {
            "self": f"{self.about.url}{self.about.root}/issue/{name}/changelog",
            "values": page,
            "startAt": start,
            "maxResults": results_max,
            "total": len(history),
            "isLast": start + len(page) >= len(history),
        }

    def fetched(self, names: list[str], wanted: list[str]) -> Answer:
        """Many issues at once, as they stand; those that are not there are left out."""
        with self.lock:
            found = [issue for name in names[:100] if (issue := self._find(name))]
            return 200, {"issues": [self.shown(issue, wanted) for issue in found], "issueErrors": []}

    def transitions(self, name: str) -> Answer:
        with self.lock:
            found = self._find(name)
            return (200, {"expand": "transitions", "transitions": self._ways(found)}) if found else no_issue()

    def transition(self, name: str, payload: Json, *, author: str = ACCOUNT) -> Answer:
        wanted = str((payload.get("transition") or {}).get("id", ""))
        with self.lock:
            found = self._find(name)
            if not found:
                return no_issue()
            targets = {way["id"]: way["to"]["id"] for way in self._ways(found)}
            if wanted not in targets:
                return 400, errors(f"It seems that you have tried to perform an illegal workflow operation: {wanted}.")
            self._log_move(found, targets[wanted], author)
            found["status"] = targets[wanted]
            self._touch(found)
        return 204, None

    def _log_move(self, issue: Json, status: str, author: str) -> None:
        before, history = issue["status"], issue.setdefault("history", [])
        item = {
            "field": "status",
            "fieldtype": "jira",
            "fieldId": "status",
            "from": before,
            "fromString": STATUSES[before][0],
            "to": status,
            "toString": STATUSES[status][0],
        }
        entry = {"id": f"{issue['id']}{len(history) + 1:04}", "author": self.about.user(author), "items": [item]}
        history.append(entry | {"created": moment_of(self.clock())})

    def set_link(self, name: str, payload: Json) -> Answer:
        target = payload.get("object") or {}
        if missing := [part for part in ("url", "title") if not target.get(part)]:
            return 400, errors(**{part: f"'{part}' is required." for part in missing})
        with self.lock:
            found = self._find(name)
            if not found:
                return no_issue()
            global_id = payload.get("globalId") or f"anonymous-{len(found['links']) + 1}"
            known = found["links"].get(global_id)
            number = known["id"] if known else 10_000 + len(found["links"]) + 1
            found["links"][global_id] = {"id": number, "globalId": global_id, "object": target}
            self._touch(found)
        return (200 if known else 201), {
            "id": number,
            "self": f"{self.about.url}{self.about.root}/issue/{name}/remotelink/{number}",
        }

    def links(self, name: str) -> Answer:
        with self.lock:
            found = self._find(name)
            return (200, list(found["links"].values())) if found else no_issue()

    def set_property(self, name: str, key: str, value: Any) -> Answer:
        with self.lock:
            found = self._find(name)
            if not found:
                return no_issue()
            known = key in found["properties"]
            found["properties"][key] = value
            self._touch(found)
        return (200 if known else 201), {}

    def get_property(self, name: str, key: str) -> Answer:
        with self.lock:
            found = self._find(name)
            if not found or key not in found["properties"]:
                return 404, errors(f"The property {key} does not exist.")
            return 200, {"key": key, "value": found["properties"][key]}

    def delete(self, name: str) -> Answer:
        """Hide an issue as a person would who deletes it; its number is not used again."""
        with self.lock:
            found = self._find(name)
            if not found:
                return no_issue()
            found["deleted"] = True
            self._touch(found, "jira:issue_deleted")
        return 204, None

    def shown(self, issue: Json, wanted: list[str]) -> Json:
        """An issue as the API shows it; `wanted` names fields, empty or `*all` for all."""
        fields = issue["fields"] | {
            "status": self.about.status(issue["status"]),
            "created": moment_of(issue["created_s"]),
            "updated": moment_of(issue["updated_s"]),
            "project": {"id": "10000", "key": self.about.config.project, "name": self.about.config.project_name},
            "attachment": issue.get("attachments", []),
            "resolution": {"name": "Done"} if STATUSES[issue["status"]][1] == "done" else None,
        }
        if wanted and "*all" not in wanted:
            fields = {name: value for name, value in fields.items() if name in wanted}
        return {
            "id": issue["id"],
            "key": issue["key"],
            "self": f"{self.about.url}{self.about.root}/issue/{issue['id']}",
            "fields": fields,
        }

    def _ways(self, issue: Json) -> list[Json]:
        allowed = self.about.config.ways.get(STATUSES[issue["status"]][0])
        return [
            {
                "id": f"{number}1",
                "name": name,
                "to": self.about.status(status),
                "hasScreen": False,
                "isGlobal": True,
                "isInitial": False,
                "isAvailable": True,
                "isConditional": False,
                "looped": False,
            }
            for number, (status, (name, _)) in enumerate(STATUSES.items(), start=1)
            if status != issue["status"] and (allowed is None or name in allowed)
        ]

    def _find(self, name: str) -> Json | None:
        return next((i for i in self.issues if name in {i["id"], i["key"]} and not i.get("deleted")), None)

    def _touch(self, issue: Json, event: str = "jira:issue_updated") -> None:
        # Stamped to the millisecond: two changes within one are still two.
        issue["updated_s"] = max(self.clock(), issue["updated_s"] + 0.001)
        self._save()
        self.on_change(event, issue)

    def _save(self) -> None:
        if self._state is not None:
            fresh = self._state.with_suffix(".new")
            fresh.write_text(json.dumps(self.issues), encoding="utf-8")
            fresh.replace(self._state)


def no_issue() -> Answer:
    return 404, errors("Issue does not exist or you do not have permission to see it.")


def moment_of(moment_s: float) -> str:
    return datetime.fromtimestamp(moment_s, tz=UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "+0000"
