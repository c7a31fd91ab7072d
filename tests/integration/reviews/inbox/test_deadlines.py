"""Every object with a deadline is in somebody's inbox: before it, after it, and when its owner is away."""

import re
from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.db.models import DateField

from governance.people.actions import people
from governance.people.approvals import actions as approvals
from governance.people.queries.people import person_of
from reviews.inbox.actions import make_reminders
from reviews.inbox.domain import InboxKind
from reviews.inbox.queries.inbox import inbox_of
from reviews.quarterly.actions import cycles
from reviews.workflow import tasks
from tests.factories.absences import make_absence
from tests.factories.people import Cast
from tests.integration.reviews.inbox.deadlines import DAY, DEADLINES, MACHINES, NONE, PASTS, Deadline

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("policy")]
IDENTIFIER = re.compile(r"\b[a-z0-9]+_[a-z0-9_]+\b|business-gain-prod")
"""The name of a metric, or the id of the rule that is waived."""
EACH = pytest.mark.parametrize("deadline", DEADLINES.values(), ids=DEADLINES)


@pytest.fixture
def now() -> datetime:
    """A Wednesday in the middle of a quarter."""
    return datetime(2026, 7, 1, 12, tzinfo=UTC)


def fields() -> list[str]:
    """The dates and times of all tables."""
    return [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, DateField)
    ]


def tick(now: datetime) -> None:
    """What happens by itself until now."""
    tasks.expire_due(now=now)
    approvals.expire(now=now)
    cycles.advance(now=now)
    make_reminders(now=now)


def holders(cast: Cast, deadline: Deadline, end: datetime, *, at: datetime) -> set[str]:
    """Who of the active people has an entry of the kind, or an escalation, with this clock in the inbox."""
    kinds = (deadline.kind, InboxKind.ESCALATION)
    return {
        user.username
        for user in cast.everybody()
        if user.is_active
        for entry in inbox_of(person=person_of(user), now=at).entries
        if entry.kind in kinds and entry.ends_at == end
    }


def test_each_date_and_time_is_a_deadline_or_has_a_reason_why_not() -> None:
    known = {name.partition(" ")[0] for name in DEADLINES} | NONE.keys()
    unknown = [name for name in fields() if name not in known and name.rpartition(".")[2] not in {*PASTS, *MACHINES}]
    assert unknown == []


def test_the_tables_name_what_exists() -> None:
    names = {name.rpartition(".")[2] for name in fields()}
    assert {name.partition(" ")[0] for name in DEADLINES} - set(fields()) == set()
    assert NONE.keys() - set(fields()) == set()
    assert {*PASTS, *MACHINES} - names == set()
    assert {name.partition(" ")[0] for name in DEADLINES} & NONE.keys() == set()


@EACH
def test_before_its_deadline_it_stands_with_its_owners(deadline: Deadline, cast: Cast, now: datetime) -> None:
    end = deadline.make(cast, now)
    tick(end - DAY)
    assert set(deadline.owners) <= holders(cast, deadline, end, at=end - DAY)
    entries = [entry for user in cast.everybody() for entry in inbox_of(person=person_of(user), now=end - DAY).entries]
    texts = [text for entry in entries for text in (entry.title, entry.step, entry.note)]
    assert [text for text in texts if IDENTIFIER.search(text)] == []


@EACH
def test_after_its_deadline_it_stands_there_or_has_ended(deadline: Deadline, cast: Cast, now: datetime) -> None:
    end = deadline.make(cast, now)
    tick(end + DAY)
    found = holders(cast, deadline, end, at=end + DAY)
    assert set(deadline.owners) <= found if deadline.stays else found == set()


@EACH
def test_somebody_stands_in_for_owners_who_are_absent(deadline: Deadline, cast: Cast, now: datetime) -> None:
    end = deadline.make(cast, now)
    for name in deadline.owners:
        make_absence(getattr(cast, name), now=end - DAY)
    tick(end - DAY)
    assert deadline.stand_in in holders(cast, deadline, end, at=end - DAY)


@EACH
def test_somebody_stands_in_for_owners_whose_account_is_closed(deadline: Deadline, cast: Cast, now: datetime) -> None:
    end = deadline.make(cast, now)
    for name in deadline.owners:
        people.close_account(user=getattr(cast, name), by=cast.admin, now=now)
        getattr(cast, name).refresh_from_db()
    tick(end - DAY)
    found = holders(cast, deadline, end, at=end - DAY)
    assert found == set() if deadline.ends_with_account else deadline.stand_in in found
