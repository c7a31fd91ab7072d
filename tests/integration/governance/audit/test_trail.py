"""Reads of the audit trail: who may, and narrowed how."""

from datetime import UTC, datetime

import pytest
from django.db import transaction

from governance.audit.actions import record as audit
from governance.audit.domain import correlation as trace
from governance.audit.models import AuditEvent
from governance.audit.queries import trail
from governance.people.domain.roles import Person, Role
from governance.people.rules import check_read_trail, may_read_trail
from weighbridge.core.errors import NotAllowed

pytestmark = pytest.mark.slow

NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)


@pytest.fixture
def events(db: None) -> list[AuditEvent]:
    told = [
        ("vote.cast", ("request", "MRR-2026-0001"), "Fast enough."),
        ("vote.cast", ("request", "MRR-2026-0002"), ""),
        ("model.registered", ("model", "search/ranker"), ""),
    ]
    found = []
    for kind, subject, reason in told:
        with audit.origin("web"), trace.correlated(request_id=f"id{len(found)}"), transaction.atomic():
            found.append(audit.record(kind=kind, by=None, subject=subject, reason=reason, now=NOW))
    return found


@pytest.mark.parametrize("role", list(Role))
def test_administrators_and_auditors_read_the_trail(role: Role) -> None:
    person = Person(1, "ada", roles=frozenset({role}))
    assert may_read_trail(person) == (role in {Role.ADMIN, Role.AUDITOR})
    if not may_read_trail(person):
        with pytest.raises(NotAllowed, match="Only an administrator or an auditor may read the whole audit trail"):
            check_read_trail(person)
    assert not may_read_trail(Person(1, "ada", roles=frozenset({role}), is_active=False))


@pytest.mark.parametrize(
    ("filters", "positions"),
    [
        ({}, [3, 2, 1]),
        ({"search": " mrr-2026 "}, [2, 1]),
        ({"search": "FAST"}, [1]),
        ({"search": "system"}, [3, 2, 1]),
        ({"search": "id1"}, [2]),
        ({"search": "id"}, []),
        ({"subject_type": "model"}, [3]),
        ({"kind": "vote"}, [2, 1]),
        ({"kind": "vote", "search": "0002"}, [2]),
        ({"kind": "cast"}, []),
    ],
)
def test_the_list_narrowed(events: list[AuditEvent], filters: dict[str, str], positions: list[int]) -> None:
    assert [event.position for event in trail.listed(trail.TrailSelection(**filters))] == positions


def test_events_of_one_thing(events: list[AuditEvent]) -> None:
    with transaction.atomic():
        audit.record(kind="request.withdrawn", by=None, subject=("request", "MRR-2026-0001"), now=NOW)
    assert [event.position for event in trail.of_subject("request", subject="MRR-2026-0001")] == [4, 1]
    assert [event.position for event in trail.of_subject("request", subject="MRR-2026-0001", limit=1)] == [4]
    assert trail.of_subject("model", subject="MRR-2026-0001") == []


def test_what_the_trail_speaks_of_and_its_head(events: list[AuditEvent]) -> None:
    assert trail.subject_types() == ["model", "request"]
    head = trail.head()
    assert head is not None
    assert (head.position, head.hash) == (3, events[2].hash)


def test_a_trail_of_nothing_has_no_head(db: None) -> None:
    assert trail.head() is None
