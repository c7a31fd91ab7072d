"""Which conditions the meeting sees as owed: those that are neither met nor lifted, and that nothing else carries."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.db.models import Q

from reviews.authorizations.models import OPEN_CONDITION, Authorization, Condition
from reviews.quarterly.models import ReviewCycle
from reviews.quarterly.queries.cycle_sources import agenda_entries, agenda_sources
from reviews.quarterly.queries.quarterly_packet import packet_of
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import authorizations
from tests.factories.cycles import make_cycle
from tests.factories.people import Cast

pytestmark = pytest.mark.django_db
ENDS = ("met", "lifted", "carried over")


def add(granted: Authorization, text: str, *, owner: User, by: User, now: datetime) -> Condition:
    due_on = now.date() + timedelta(days=7)
    return authorizations.add_condition(authorization=granted, text=text, owner=owner, due_on=due_on, by=by, now=now)


@pytest.fixture
def conditions(decided: ReviewRequest, cast: Cast, now: datetime) -> dict[str, Condition]:
    """One that is owed, and one for each of its ends, under the word for that end."""
    granted = Authorization.objects.get(decision__request=decided)
    rows = {
        text: add(granted, f"Watch {text}.", owner=cast.author, by=cast.approver, now=now) for text in ("it", *ENDS)
    }
    Condition.objects.filter(pk=rows["met"].pk).update(met_at=now, met_by=cast.approver)
    authorizations.lift_condition(condition=rows["lifted"], reason="The bill was published.", by=cast.approver, now=now)
    Condition.objects.filter(pk=rows["carried over"].pk).update(carried_to=rows["it"])
    return rows


@pytest.fixture
def cycle(now: datetime) -> ReviewCycle:
    return make_cycle(now=now)


def test_the_agenda_has_the_conditions_that_are_owed(
    conditions: dict[str, Condition], cycle: ReviewCycle, now: datetime
) -> None:
    assert [row.text for row in agenda_sources(cycle, now=now).conditions] == ["Watch it."]
    told = " ".join(f"{entry.title} {entry.reason}" for entry in agenda_entries(cycle, now=now))
    assert [text for text in conditions if f"Watch {text}." in told] == ["it"]


def test_the_packet_says_how_each_other_condition_ended(
    conditions: dict[str, Condition], cycle: ReviewCycle, now: datetime
) -> None:
    lines = [line for page in packet_of(cycle, now=now).models for line in page.conditions]
    day = conditions["it"].due_on
    ends = {f"Watch {word}.": f", {word}" for word in ENDS} | {"Watch it.": ""}
    assert sorted(lines) == sorted(f"{text} (Author, by {day:%Y-%m-%d}{end})" for text, end in ends.items())


def test_the_filter_of_rows_is_the_rule_of_one_row(conditions: dict[str, Condition]) -> None:
    for rule in (OPEN_CONDITION, Q(pk__in=[row.pk for row in Condition.objects.all() if row.is_open])):
        assert list(Condition.objects.filter(rule)) == [conditions["it"]]
