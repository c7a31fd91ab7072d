"""Which requests there are, and who sees them."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User

from governance.inventory.actions import inventory
from governance.people.queries.people import person_of
from governance.rulebook.models import PolicyVersion
from reviews.packets.models import Packet
from reviews.requests.models import ReviewRequest
from reviews.requests.queries.requests import RequestSelection, find, list_requests, parties_of, visible_to
from reviews.requests.rules import may_see
from reviews.workflow.tasks import expired_requests
from tests.factories import requests as walks
from tests.factories.models import accept_ownership, make_version
from tests.factories.people import Cast, make_person
from weighbridge.core.errors import NotFound


@pytest.fixture
def three(policy: PolicyVersion, cast: Cast, now: datetime) -> list[ReviewRequest]:
    """Two of the search team, one of another; the second is submitted for staging."""
    version = make_version(by=cast.author, now=now)
    first = walks.make_draft(by=cast.author, now=now, version=version, title="Autumn", purpose="Rank products")
    second = walks.make_submitted(
        by=cast.author, now=now + timedelta(seconds=1), version=version, title="Spring", environment="staging"
    )
    foreign = make_version(by=cast.outsider, team="ads", slug="bidding", seed=1, now=now)
    third = walks.make_draft(by=cast.outsider, now=now + timedelta(seconds=2), version=foreign, with_data=False)
    return [first, second, third]


def titles(user: User, **filters: object) -> list[str]:
    return [request.title for request in list_requests(person=person_of(user), filters=RequestSelection(**filters))]


def test_the_query_and_the_rule_agree(three: list[ReviewRequest], cast: Cast, now: datetime) -> None:
    owner = make_person("owner", now=now)
    asset = three[2].model_version.asset
    inventory.register_asset(
        team="ads",
        slug=asset.slug,
        name=asset.name,
        tier="T1",
        task="classification",
        owner=owner,
        by=cast.outsider,
        now=now,
    )
    accept_ownership(asset=asset, now=now)
    for user in [*cast.everybody(), owner, make_person("stranger", now=now)]:
        person = person_of(user)
        rows = ReviewRequest.objects.all()
        assert set(visible_to(person)) == {row for row in rows if may_see(person, parties_of(row))}, user
    assert list(visible_to(person_of(owner))) == [three[2]]


def test_a_stranger_is_told_what_would_be_said_of_nothing(three: list[ReviewRequest], cast: Cast) -> None:
    assert find(ref=three[0].ref, person=person_of(cast.author)) == three[0]
    answers = []
    for ref in (three[0].ref, "MRR-1999-0001"):
        with pytest.raises(NotFound) as refusal:
            find(ref=ref, person=person_of(cast.outsider))
        answers.append(refusal.value.reason.replace(ref, "X"))
    assert answers == ["There is no request X that you can see."] * 2


def test_the_newest_comes_first(three: list[ReviewRequest], cast: Cast) -> None:
    assert titles(cast.auditor) == ["Visual search, autumn model", "Spring", "Autumn"]
    assert titles(cast.author) == ["Spring", "Autumn"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"search": " spr "}, ["Spring"]),
        ({"search": "rank PRODUCTS"}, ["Autumn"]),
        ({"search": "bidding"}, ["Visual search, autumn model"]),
        ({"search": "-0002"}, ["Spring"]),
        ({"search": "nothing like it"}, []),
        ({"state": "draft"}, ["Visual search, autumn model", "Autumn"]),
        ({"state": "no such state"}, ["Visual search, autumn model", "Spring", "Autumn"]),
        ({"team": "ads"}, ["Visual search, autumn model"]),
        ({"environment": "staging"}, ["Spring"]),
        ({"mine": True}, []),
        ({"state": "draft", "team": "search"}, ["Autumn"]),
    ],
)
def test_a_list_is_narrowed(
    three: list[ReviewRequest], cast: Cast, filters: dict[str, object], found: list[str]
) -> None:
    assert titles(cast.auditor, **filters) == found


def test_a_digest_finds_its_requests(three: list[ReviewRequest], cast: Cast) -> None:
    assert titles(cast.auditor, search=three[2].model_version.digest) == ["Visual search, autumn model"]
    assert titles(cast.author, mine=True) == ["Spring", "Autumn"]


def test_what_waits_too_long_is_due(three: list[ReviewRequest], now: datetime) -> None:
    deadline = three[1].deadline_at
    assert deadline == now + timedelta(days=30, seconds=1)
    assert expired_requests(now=deadline - timedelta(seconds=1)) == []
    assert expired_requests(now=deadline) == [three[1]]
    ReviewRequest.objects.filter(pk=three[1].pk).update(state="decided")
    assert expired_requests(now=deadline) == []


def test_packets_wait_for_a_worker(decided: ReviewRequest, now: datetime) -> None:
    packet = decided.packets.get()
    assert [row.pk for row in Packet.due(now=now, limit=2)] == [packet.pk]
    assert Packet.due(now=now - timedelta(seconds=1), limit=2) == []
