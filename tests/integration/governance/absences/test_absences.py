"""Absences are stated by the person or a platform lead, end once, and give no right in a circle."""

from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from governance.absences.actions.absences import end_absence, state_absence
from governance.absences.models import Absence
from governance.absences.queries import absent_ids, deputies, deputyships_of, find, listed
from governance.audit.models import AuditEvent
from governance.people.actions import people
from governance.people.domain.roles import Role
from governance.people.queries.people import person_of
from tests.factories.absences import REASON, days, make_absence
from tests.factories.people import Cast, make_person
from tests.standstill import refused
from tests.threads import together
from weighbridge.core.errors import Invalid, NotAllowed, NotFound, WrongState

pytestmark = pytest.mark.django_db


def test_a_person_states_and_takes_back_their_own_absence(cast: Cast, now: datetime) -> None:
    row = make_absence(cast.reviewer_one, deputy=cast.reviewer_two, now=now)
    assert str(row) == f"ABS-{row.pk}"
    assert row.period == days(now)
    event = AuditEvent.objects.get(kind="absence.stated")
    assert (event.subject_type, event.subject, event.actor_id) == ("person", "reviewer_one", str(cast.reviewer_one.pk))
    assert event.details["deputy"] == "reviewer_two"
    assert absent_ids(now=now) == {cast.reviewer_one.pk}
    (right,) = deputyships_of(cast.reviewer_two.pk, now=now)
    assert (right.absent.username, right.roles) == ("reviewer_one", {Role.REVIEWER})
    assert deputies(now=now) == {cast.reviewer_one.pk: right}
    end_absence(absence=row, by=cast.reviewer_one, now=now)
    assert (absent_ids(now=now), deputyships_of(cast.reviewer_two.pk, now=now), deputies(now=now)) == (set(), (), {})
    assert AuditEvent.objects.get(kind="absence.ended").details["absence"] == row.pk
    with refused(WrongState, match="already over"):
        end_absence(absence=row, by=cast.reviewer_one, now=now)


def test_a_lead_states_the_absence_of_another_person_with_a_reason(cast: Cast, now: datetime) -> None:
    row = make_absence(cast.reviewer_one, deputy=cast.reviewer_two, by=cast.approver, now=now)
    assert AuditEvent.objects.get(kind="absence.stated").reason == REASON
    with refused(Invalid, match="The absence of another person needs a reason", field="reason"):
        end_absence(absence=row, by=cast.approver, now=now)
    end_absence(absence=row, reason=REASON, by=cast.approver, now=now)


def test_it_holds_on_its_days_alone(cast: Cast, now: datetime) -> None:
    make_absence(cast.reviewer_one, deputy=cast.reviewer_two, first=2, last=3, now=now)
    for day, is_absent in ((0, False), (1, False), (2, True), (3, True), (4, False)):
        then = now + timedelta(days=day)
        assert bool(absent_ids(now=then)) is is_absent
        assert bool(deputyships_of(cast.reviewer_two.pk, now=then)) is is_absent


def test_an_absence_that_is_over_cannot_be_ended(cast: Cast, now: datetime) -> None:
    row = make_absence(cast.reviewer_one, now=now, last=0)
    with refused(WrongState, match="already over"):
        end_absence(absence=row, by=cast.reviewer_one, now=now + timedelta(days=1))


def test_nobody_else_states_or_ends_it(cast: Cast, now: datetime) -> None:
    row = make_absence(cast.reviewer_one, now=now)
    for user in (cast.reviewer_two, cast.admin, cast.finance, cast.author, cast.outsider, cast.auditor):
        with refused(NotAllowed, match="Only a platform lead may state or end the absence of another person"):
            end_absence(absence=row, reason=REASON, by=user, now=now)
        with refused(NotAllowed, match="Only a platform lead"):
            state_absence(person=cast.product, period=days(now), reason=REASON, by=user, now=now)


def test_a_colleague_who_lies_gains_nothing(cast: Cast, now: datetime) -> None:
    one, two, lead = cast.reviewer_one, cast.reviewer_two, cast.approver
    people.grant_role(user=lead, role=Role.REVIEWER, by=None, now=now)
    with refused(Invalid, match="Nobody is their own deputy", field="deputy"):
        make_absence(one, deputy=one, now=now)
    with refused(Invalid, match="You cannot name yourself as the deputy of another person", field="deputy"):
        make_absence(one, deputy=lead, by=lead, now=now)
    with refused(Invalid, match="Finance has no role of Reviewer One that votes", field="deputy"):
        make_absence(one, deputy=cast.finance, now=now)
    make_absence(one, deputy=two, now=now)
    with refused(Invalid, match="Reviewer One is absent on some of these days too", field="deputy"):
        make_absence(two, deputy=one, now=now)
    with refused(Invalid, match="absent on some of these days already", field="starts_on"):
        make_absence(one, deputy=lead, now=now, first=6, last=9)


def test_an_absent_deputy_has_no_right_and_passes_none_on(cast: Cast, now: datetime) -> None:
    three = make_person("reviewer_three", Role.REVIEWER, now=now)
    make_absence(cast.reviewer_one, deputy=cast.reviewer_two, now=now)
    second = make_absence(cast.reviewer_two, deputy=three, now=now)
    assert deputyships_of(cast.reviewer_two.pk, now=now) == ()
    assert [one.absent.username for one in deputyships_of(three.pk, now=now)] == ["reviewer_two"]
    end_absence(absence=second, by=cast.reviewer_two, now=now)
    assert [one.absent.username for one in deputyships_of(cast.reviewer_two.pk, now=now)] == ["reviewer_one"]


def test_closed_accounts_are_neither_absent_nor_deputies(cast: Cast, now: datetime) -> None:
    people.close_account(user=cast.reviewer_two, by=cast.admin, now=now)
    with refused(Invalid, match="The account reviewer_two is closed", field="deputy"):
        make_absence(cast.reviewer_one, deputy=cast.reviewer_two, now=now)
    with refused(Invalid, match="The account reviewer_two is closed", field="person"):
        make_absence(cast.reviewer_two, by=cast.approver, now=now)


def test_a_person_sees_their_own_and_those_as_a_deputy(cast: Cast, now: datetime) -> None:
    row = make_absence(cast.reviewer_one, deputy=cast.reviewer_two, now=now)
    seen = {user.username for user in cast.everybody() if listed(person=person_of(user), now=now)}
    assert seen == {"reviewer_one", "reviewer_two", "approver", "admin", "auditor"}
    assert find(absence_id=row.pk, person=person_of(cast.reviewer_two), now=now) == row
    for user, then in ((cast.author, now), (cast.reviewer_one, now + timedelta(days=7))):
        with pytest.raises(NotFound, match=f"There is no absence {row.pk}"):
            find(absence_id=row.pk, person=person_of(user), now=then)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE absences_absence SET ends_on = ends_on + 30",
        "UPDATE absences_absence SET deputy_id = person_id",
        "UPDATE absences_absence SET deputy_id = (SELECT id FROM auth_user WHERE username = 'finance')",
        "UPDATE absences_absence SET confirmed_roles = '[\"finance\"]'",
        "DELETE FROM absences_absence",
    ],
)
def test_the_database_keeps_what_was_stated(cast: Cast, now: datetime, statement: str) -> None:
    make_absence(cast.reviewer_one, now=now)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    ended = make_absence(cast.reviewer_two, now=now)
    end_absence(absence=ended, by=cast.reviewer_two, now=now)
    with pytest.raises(DatabaseError), transaction.atomic():
        Absence.objects.filter(pk=ended.pk).update(ended_at=None, ended_by=None)


@pytest.mark.django_db(transaction=True)
def test_two_clicks_state_one_absence_and_a_circle_is_not_closed(cast: Cast, now: datetime) -> None:
    one, two = cast.reviewer_one, cast.reviewer_two
    answers = together([lambda: make_absence(one, now=now), lambda: make_absence(one, now=now)])
    assert sorted(type(answer).__name__ for answer in answers) == ["Absence", "Invalid"]
    end_absence(absence=Absence.objects.get(ended_at=None), by=one, now=now)
    answers = together([lambda: make_absence(one, deputy=two, now=now), lambda: make_absence(two, deputy=one, now=now)])
    assert sorted(type(answer).__name__ for answer in answers) == ["Absence", "Invalid"]
    assert Absence.objects.filter(ended_at=None).count() == 1
