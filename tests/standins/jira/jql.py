"""The corner of JQL that is spoken here: equality and `in` on labels, project, key and issuetype, `AND`, `ORDER BY`."""

import re
from collections.abc import Callable
from typing import Any

Issue = dict[str, Any]

VALUE = r'(?:"(?:[^"\\]|\\.)*"|[\w.@-]+)'
CLAUSE = re.compile(
    rf"(labels|project|key|issuekey|issuetype|id)\s*(?:=\s*({VALUE})|in\s*\(({VALUE}(?:\s*,\s*{VALUE})*)\))",
    re.IGNORECASE,
)
ORDER = re.compile(r"(created|key|updated)(?:\s+(asc|desc))?", re.IGNORECASE)

READERS: dict[str, Callable[[Issue], list[str]]] = {
    "labels": lambda issue: issue["fields"].get("labels", []),
    "project": lambda issue: [issue["key"].rsplit("-", 1)[0]],
    "id": lambda issue: [issue["id"]],
    "key": lambda issue: [issue["key"]],
    "issuekey": lambda issue: [issue["key"]],
    "issuetype": lambda issue: [issue["fields"]["issuetype"]["name"]],
}


class NotUnderstood(ValueError):  # noqa: N818 -- reads as what happened
    """The query is outside this corner of JQL."""


def select(issues: list[Issue], query: str) -> list[Issue]:
    """The issues that match, in the order asked for (newest first where none is). Raises NotUnderstood."""
    where, _, order = re.sub(r"\border\s+by\b", "\0", query, flags=re.IGNORECASE).partition("\0")
    clauses = [_clause(text) for text in re.split(r"\band\b", where, flags=re.IGNORECASE)]
    found = [issue for issue in issues if all(accepts(issue) for accepts in clauses)]
    return sorted(found, key=lambda issue: int(issue["id"]), reverse=_descending(order.strip()))


def _clause(text: str) -> Callable[[Issue], bool]:
    match = CLAUSE.fullmatch(text.strip())
    if match is None:
        raise NotUnderstood(f"Error in the JQL Query: '{text.strip()}' is not understood here.")
    wanted = {_unquoted(value) for value in re.findall(VALUE, match[2] or match[3])}
    read = READERS[match[1].lower()]
    return lambda issue: bool(wanted & set(read(issue)))


def _descending(order: str) -> bool:
    if not order:
        return True
    match = ORDER.fullmatch(order)
    if match is None:
        raise NotUnderstood(f"Error in the JQL Query: cannot order by '{order}'.")
    return (match[2] or "asc").lower() == "desc"


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
