"""The days of an absence, and the roles in which a deputy may act."""

from datetime import date, timedelta

import pytest

from governance.absences.domain import Deputyship, Period, check_no_overlap, check_period
from governance.absences.rules import check_propose_deputy, check_state_absence, may_read_absences
from governance.people.domain.roles import Person, Role
from tests.refusals import has_code
from weighbridge.core.errors import Invalid, NotAllowed

TODAY = date(2026, 7, 1)
WEEK = Period(TODAY, TODAY + timedelta(days=6))


def person(number: int, *roles: Role, is_active: bool = True) -> Person:
    return Person(id=number, username=f"p{number}", name=f"P{number}", roles=frozenset(roles), is_active=is_active)


def deputyship(absent: Person, deputy: Person, *confirmed: Role, is_deputy_absent: bool = False) -> Deputyship:
    return Deputyship(
        absence_id=1,
        absent=absent,
        deputy=deputy,
        period=WEEK,
        confirmed_roles=frozenset(confirmed),
        is_deputy_absent=is_deputy_absent,
    )


def test_both_ends_of_a_period_belong_to_it() -> None:
    assert [WEEK.covers(TODAY + timedelta(days=day)) for day in (-1, 0, 6, 7)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("first", "last", "overlaps"), [(-3, -1, False), (-3, 0, True), (2, 3, True), (6, 9, True), (7, 9, False)]
)
def test_periods_overlap_in_a_common_day(first: int, last: int, overlaps: bool) -> None:
    other = Period(TODAY + timedelta(days=first), TODAY + timedelta(days=last))
    assert WEEK.overlaps(other) is overlaps
    assert other.overlaps(WEEK) is overlaps
    if overlaps:
        with pytest.raises(Invalid, match=r"^Taken\.$") as refusal:
            check_no_overlap(WEEK, [other], reason="Taken.", name="starts_on")
        assert refusal.value.field == "starts_on"
    else:
        check_no_overlap(WEEK, [other], reason="Taken.", name="starts_on")


@pytest.mark.parametrize(
    ("first", "last", "field"),
    [(-1, 3, "starts_on"), (367, 368, "starts_on"), (2, 1, "ends_on"), (0, 367, "ends_on"), (0, 0, ""), (366, 732, "")],
)
def test_an_absence_begins_today_or_later_and_ends_after_that(first: int, last: int, field: str) -> None:
    period = Period(TODAY + timedelta(days=first), TODAY + timedelta(days=last))
    if not field:
        check_period(period, today=TODAY)
        return
    with pytest.raises(Invalid) as refusal:
        check_period(period, today=TODAY)
    assert refusal.value.field == field


REVIEWER, LEAD, AUDITOR = Role.REVIEWER, Role.PLATFORM_LEAD, Role.AUDITOR
CASES = [
    (deputyship(person(1, REVIEWER), person(2, REVIEWER)), {REVIEWER}),
    (deputyship(person(1, REVIEWER, LEAD), person(2, REVIEWER)), {REVIEWER}),
    (deputyship(person(1, REVIEWER), person(2, REVIEWER, LEAD)), {REVIEWER}),
    (deputyship(person(1, REVIEWER), person(2)), set()),
    (deputyship(person(1, REVIEWER), person(2), REVIEWER), set()),
    (deputyship(person(1, REVIEWER), person(2, AUDITOR), REVIEWER), set()),
    (deputyship(person(1, REVIEWER), person(2, Role.FINANCE), REVIEWER), {REVIEWER}),
    (deputyship(person(1), person(2, Role.FINANCE), REVIEWER), set()),
    (deputyship(person(1, REVIEWER, LEAD), person(2, REVIEWER), LEAD), {REVIEWER, LEAD}),
    (deputyship(person(1, AUDITOR), person(2, AUDITOR)), set()),
    (deputyship(person(1, REVIEWER, is_active=False), person(2, REVIEWER)), set()),
    (deputyship(person(1, REVIEWER), person(2, REVIEWER, is_active=False)), set()),
    (deputyship(person(1, REVIEWER), person(2, REVIEWER), is_deputy_absent=True), set()),
]


@pytest.mark.parametrize(("right", "roles"), CASES)
def test_a_deputy_acts_in_the_roles_that_both_hold_or_that_two_people_gave(right: Deputyship, roles: set[Role]) -> None:
    assert right.roles == roles
    for role in Role:
        if role in roles:
            right.check_acts_as(role)
        else:
            with pytest.raises(NotAllowed):
                right.check_acts_as(role)


def test_the_refusal_says_what_is_missing() -> None:
    with pytest.raises(NotAllowed, match="You are absent too", check=has_code("deputy_absent")):
        deputyship(person(1, REVIEWER), person(2, REVIEWER), is_deputy_absent=True).check_acts_as(REVIEWER)
    with pytest.raises(NotAllowed, match="P1 does not have the role finance", check=has_code("wrong_role")):
        deputyship(person(1, REVIEWER), person(2, Role.FINANCE)).check_acts_as(Role.FINANCE)
    with pytest.raises(NotAllowed, match="as platform lead, you need that role yourself", check=has_code("wrong_role")):
        deputyship(person(1, LEAD), person(2, REVIEWER)).check_acts_as(LEAD)


def test_who_states_proposes_and_reads() -> None:
    everybody = {role: person(number, role) for number, role in enumerate(Role, start=1)}
    for role, one in everybody.items():
        if role is AUDITOR:
            with pytest.raises(NotAllowed, match="you have no such role"):
                check_state_absence(one, user_id=one.id)
        else:
            check_state_absence(one, user_id=one.id)
        assert may_read_absences(one) is (role in {LEAD, Role.ADMIN, AUDITOR})
        for check in (lambda one=one: check_state_absence(one, user_id=99), lambda one=one: check_propose_deputy(one)):
            if role is LEAD:
                check()
            else:
                with pytest.raises(NotAllowed, match="Only a platform lead may"):
                    check()
    with pytest.raises(NotAllowed, match="not active"):
        check_state_absence(person(1, is_active=False), user_id=1)
    with pytest.raises(NotAllowed, match="not active"):
        check_state_absence(person(1, LEAD, is_active=False), user_id=2)
