"""Who counts for the quorum: an attendee whose account is open and who still has the role of the side."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from governance.people.actions import people
from governance.people.domain.roles import Role
from reviews.quarterly.actions import cycles, meeting
from reviews.quarterly.domain.quorum import Side
from reviews.quarterly.models import MeetingDecision, ReviewCycle
from reviews.quarterly.queries.cycles import attendees_of
from reviews.quarterly.queries.meeting import is_present_as_lead, sides_present
from tests.factories.cycles import decided, make_held, make_item, met_at
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.integration.reviews.quarterly.test_pages import entered
from tests.standstill import refused
from weighbridge.core.errors import WrongState

pytestmark = pytest.mark.django_db
Api = Callable[[User | None], APIClient]
LOSSES = ("role", "account")


@pytest.fixture
def held(cast: Cast, now: datetime) -> ReviewCycle:
    cycle = make_held(cast=cast, now=now)
    meeting.record_attendance(cycle=cycle, person=cast.auditor, side=Side.GUEST, by=cast.approver, now=met_at(now))
    return cycle


def lose(user: User, role: Role, what: str, *, cast: Cast, now: datetime) -> None:
    if what == "role":
        people.revoke_role(user=user, role=role, by=cast.admin, now=now)
    else:
        people.close_account(user=user, by=cast.admin, now=now)


@pytest.mark.parametrize("what", LOSSES)
@pytest.mark.parametrize(
    ("name", "role", "left", "missing"),
    [
        ("product", Role.PRODUCT_LEAD, [Side.ENGINEERING, Side.GUEST], "a product lead must be present"),
        ("approver", Role.PLATFORM_LEAD, [Side.PRODUCT, Side.GUEST], "an engineering lead must be present"),
    ],
)
def test_who_lost_role_or_account_counts_no_longer(
    cast: Cast, held: ReviewCycle, now: datetime, what: str, name: str, role: Role, left: list[Side], missing: str
) -> None:
    lost = getattr(cast, name)
    other = cast.approver if name == "product" else cast.product
    item = make_item(cycle=held, asset=make_version(by=cast.author, now=now).asset, by=cast.approver, now=met_at(now))
    assert is_present_as_lead(held, person_id=lost.pk)
    lose(lost, role, what, cast=cast, now=now)
    assert sides_present(held) == left
    assert not is_present_as_lead(held, person_id=lost.pk)
    assert is_present_as_lead(held, person_id=other.pk)
    with refused(WrongState, match=missing, code="no_quorum"):
        meeting.decide(item=item, decided=decided(cast, now), by=other, now=met_at(now))
    assert {one.username: one.words for one in attendees_of(held)}[name].endswith(", counts no longer")


@pytest.mark.parametrize("what", LOSSES)
def test_without_them_the_meeting_does_not_close_with_decisions(
    cast: Cast, held: ReviewCycle, now: datetime, what: str
) -> None:
    item = make_item(cycle=held, asset=make_version(by=cast.author, now=now).asset, by=cast.approver, now=met_at(now))
    meeting.decide(item=item, decided=decided(cast, now), by=cast.approver, now=met_at(now))
    lose(cast.product, Role.PRODUCT_LEAD, what, cast=cast, now=now)
    with refused(WrongState, code="no_quorum"):
        cycles.close(cycle=held, by=cast.approver, now=met_at(now))
    assert MeetingDecision.objects.count() == 1


def test_another_role_does_not_stand_in_for_that_of_the_side(cast: Cast, held: ReviewCycle, now: datetime) -> None:
    people.revoke_role(user=cast.product, role=Role.PRODUCT_LEAD, by=cast.admin, now=now)
    people.grant_role(user=cast.product, role=Role.AUDITOR, by=cast.admin, now=now)
    assert sides_present(held) == [Side.ENGINEERING, Side.GUEST]


def test_a_closed_account_is_removed_from_the_attendance(
    cast: Cast, held: ReviewCycle, now: datetime, api: Api
) -> None:
    for user in (cast.product, cast.auditor):
        people.close_account(user=user, by=cast.admin, now=now)
    page = entered(cast.approver).post(f"/cycles/{held.quarter}/attendance/leave/", {"person": "product"})
    assert (page.status_code, page["Location"]) == (302, f"/cycles/{held.quarter}/#attendance")
    url = f"/api/v1/cycles/{held.quarter}/attendance/leave/"
    assert api(cast.approver).post(url, {"person": "auditor"}, format="json").status_code == 200
    assert [row.person.username for row in held.attendances.all()] == ["approver"]
    assert api(cast.approver).post(url, {"person": "nobody"}, format="json").status_code == 400


def test_a_closed_account_is_not_recorded(cast: Cast, held: ReviewCycle, now: datetime, api: Api) -> None:
    people.close_account(user=cast.finance, by=cast.admin, now=now)
    given = {"person": "finance", "side": "guest"}
    page = entered(cast.approver).post(f"/cycles/{held.quarter}/attendance/", given)
    answer = api(cast.approver).post(f"/api/v1/cycles/{held.quarter}/attendance/", given, format="json")
    assert (page.status_code, answer.status_code) == (400, 400)
    assert not held.attendances.filter(person=cast.finance).exists()
