"""How to call every write of findings, so that each does something."""

from collections.abc import Callable, Mapping
from datetime import datetime

from governance.findings import actions as findings
from governance.findings.enums import Severity
from governance.findings.models import Finding
from tests.factories.people import Cast

Call = Callable[[Cast, datetime], object]


def _found(now: datetime) -> Finding:
    said = {"kind": "test", "subject": "s", "text": "t", "severity": Severity.LOW, "key": "k"}
    return findings.raise_once(sighting=findings.Sighting(**said), by=None, now=now)  # type: ignore[arg-type]


def _assign_all(cast: Cast, now: datetime) -> None:
    rows, due = [_found(now)], now.date()
    seen = {row.pk: row.owner_id for row in rows}
    findings.assign_all(findings=rows, seen_owners=seen, owner=cast.author, due_on=due, by=cast.finance, now=now)


ACTIONS: Mapping[str, Call] = {
    "governance.findings.actions.raise_once": lambda cast, now: _found(now),
    "governance.findings.actions.assign": lambda cast, now: findings.assign(
        finding=_found(now), owner=cast.author, due_on=now.date(), by=cast.finance, now=now
    ),
    "governance.findings.actions.assign_all": _assign_all,
    "governance.findings.actions.close": lambda cast, now: findings.close(
        finding=_found(now), note="Done.", by=cast.finance, now=now
    ),
    "governance.findings.actions.resolve": lambda cast, now: findings.resolve(
        finding=_found(now), note="It holds no more.", now=now
    ),
}
