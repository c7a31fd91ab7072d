"""Who counts for the quorum: an attendee whose account is open and who still has the role of the side."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from governance.people.actions import people
from governance.people.domain.roles import Role
from governance.people.queries.people import person_of
from reviews.quarterly.actions import cycles, meeting
from reviews.quarterly.domain.quorum import Side
from reviews.quarterly.models import MeetingDecision, ReviewCycle
from reviews.quarterly.queries.cycles import attendees_of, describe
from reviews.quarterly.queries.meeting import is_present_as_lead, may_decide_now, sides_present
from tests.factories.cycles import decided, make_frozen, make_held, make_item, make_proposed, met_at
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.integration.reviews.quarterly.test_pages import entered, said
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


def test_a_lead_decides_only_while_the_meeting_is_open(cast: Cast, now: datetime) -> None:
    """Before it opens and after it closes, no page offers a decision or a proposal to accept."""
    cycle, at, lead = make_frozen(now=now), met_at(now), entered(cast.approver)
    (item,) = make_proposed(cycle=cycle, cast=cast, now=now, count=1)
    address = f"/cycles/{cycle.quarter}/"
    for person, side in ((cast.approver, Side.ENGINEERING), (cast.product, Side.PRODUCT)):
        meeting.record_attendance(cycle=cycle, person=person, side=side, by=cast.approver, now=at)

    def offered() -> tuple[bool, bool, bool]:
        row = ReviewCycle.objects.get()
        view = describe(cycle=row, person=person_of(cast.approver), now=at)
        assert view.is_present == view.items[0].may_decide
        return (
            may_decide_now(row, person_id=cast.approver.pk),
            view.is_present,
            item.title in said(lead, f"{address}meeting/proposals/")[1],
        )

    assert offered() == (False,) * 3
    cycles.open_meeting(cycle=cycle, by=cast.approver, now=at)
    assert offered() == (True,) * 3
    assert not may_decide_now(ReviewCycle.objects.get(), person_id=cast.auditor.pk)
    cycles.close(cycle=cycle, by=cast.approver, now=at)
    assert offered() == (False,) * 3
