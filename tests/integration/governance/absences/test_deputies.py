"""A deputy without the role takes two people, and neither of them is the deputy or the absent administrator."""

from datetime import datetime, timedelta

import pytest

from governance.absences.actions.absences import end_absence
from governance.absences.queries import deputyships_of
from governance.audit.models import AuditEvent
from governance.people.actions import people
from governance.people.approvals import actions as approvals
from governance.people.approvals.models import Change
from governance.people.domain.roles import Role
from tests.factories.absences import confirmed, make_absence, propose
from tests.factories.people import Cast, make_person
from tests.standstill import refused
from weighbridge.core.errors import Invalid, NotAllowed, WrongState

pytestmark = pytest.mark.django_db


def test_a_lead_proposes_and_an_administrator_confirms(cast: Cast, now: datetime) -> None:
    absence = confirmed(cast.reviewer_one, cast.finance, cast=cast, now=now)
    change = Change.objects.get()
    last = f"{absence.ends_on:%Y-%m-%d}"
    assert change.description == f"Let Finance act in the place of Reviewer One as reviewer until {last}"
    assert (absence.deputy, absence.change, absence.confirmed_roles) == (cast.finance, change, ["reviewer"])
    (right,) = deputyships_of(cast.finance.pk, now=now)
    assert right.roles == {Role.REVIEWER}
    event = AuditEvent.objects.get(kind="absence.deputy_named")
    assert (event.subject, event.details["deputy"], event.details["roles"]) == ("reviewer_one", "finance", "reviewer")
    people.revoke_role(user=cast.reviewer_one, role=Role.REVIEWER, by=None, now=now)
    assert deputyships_of(cast.finance.pk, now=now) == ()


def test_nothing_holds_before_it_is_confirmed(cast: Cast, now: datetime) -> None:
    propose(make_absence(cast.reviewer_one, now=now), cast.finance, by=cast.approver, now=now)
    assert deputyships_of(cast.finance.pk, now=now) == ()


def test_who_may_propose_and_confirm(cast: Cast, now: datetime) -> None:
    absence = make_absence(cast.reviewer_one, now=now)
    for user in cast.everybody():
        if user != cast.approver:
            with refused(NotAllowed, match="Only a platform lead may propose a deputy"):
                propose(absence, cast.finance, by=user, now=now)
    with refused(NotAllowed, match="You cannot propose yourself as a deputy"):
        propose(absence, cast.approver, by=cast.approver, now=now)
    change = propose(absence, cast.finance, by=cast.approver, now=now)
    for user in cast.everybody():
        if user != cast.admin:
            with refused(NotAllowed):
                approvals.confirm(change=change, by=user, now=now)
    people.grant_role(user=cast.finance, role=Role.ADMIN, by=None, now=now)
    with refused(NotAllowed, match="you gain a role by it"):
        approvals.confirm(change=change, by=cast.finance, now=now)
    approvals.confirm(change=change, by=cast.admin, now=now)


def test_the_absent_administrator_does_not_confirm_their_own_deputy(cast: Cast, now: datetime) -> None:
    absence = make_absence(cast.admin, now=now)
    change = propose(absence, cast.finance, by=cast.approver, now=now)
    with refused(NotAllowed, match="It is your absence"):
        approvals.confirm(change=change, by=cast.admin, now=now)


def test_what_cannot_be_proposed(cast: Cast, now: datetime) -> None:
    away = make_absence(cast.finance, now=now)
    own = make_absence(cast.reviewer_one, now=now)
    with refused(Invalid, match="Finance is absent on some of these days too", field="deputy"):
        propose(own, cast.finance, by=cast.approver, now=now)
    with refused(Invalid, match="Nobody is their own deputy", field="deputy"):
        propose(own, cast.reviewer_one, by=cast.approver, now=now)
    no_role = make_absence(cast.auditor, by=cast.approver, now=now)
    with refused(Invalid, match="Auditor has no role in which a deputy could act", field="deputy"):
        propose(no_role, cast.reviewer_two, by=cast.approver, now=now)
    end_absence(absence=away, by=cast.finance, now=now)
    with refused(WrongState, match="already over"):
        propose(away, cast.product, by=cast.approver, now=now)
    three = make_person("reviewer_three", Role.REVIEWER, now=now)
    taken = make_absence(cast.reviewer_two, deputy=three, now=now)
    with refused(WrongState, match="has a deputy. End it, and state it again"):
        propose(taken, cast.product, by=cast.approver, now=now)


def test_a_confirmation_sees_what_happened_since_the_proposal(cast: Cast, now: datetime) -> None:
    one, two = make_absence(cast.reviewer_one, now=now), make_absence(cast.reviewer_two, now=now, last=0)
    first = propose(one, cast.finance, by=cast.approver, now=now)
    second = propose(two, cast.product, by=cast.approver, now=now)
    end_absence(absence=one, by=cast.reviewer_one, now=now)
    with refused(WrongState, match="already over"):
        approvals.confirm(change=first, by=cast.admin, now=now)
    with refused(WrongState, match="already over"):
        approvals.confirm(change=second, by=cast.admin, now=now + timedelta(days=1))
    make_absence(cast.product, now=now)
    with refused(Invalid, match="Product is absent on some of these days too"):
        approvals.confirm(change=second, by=cast.admin, now=now)


def test_a_deputy_is_somebody_who_reads_all_requests_and_has_a_protected_account(cast: Cast, now: datetime) -> None:
    absence = make_absence(cast.reviewer_one, now=now)
    for user in (cast.author, cast.auditor, cast.outsider):
        with refused(Invalid, match="must be a reviewer, .* data steward or administrator already", field="deputy"):
            propose(absence, user, by=cast.approver, now=now)


def test_a_deputy_who_loses_their_own_role_loses_the_right(cast: Cast, now: datetime) -> None:
    confirmed(cast.reviewer_one, cast.product, cast=cast, now=now)
    assert deputyships_of(cast.product.pk, now=now)
    people.revoke_role(user=cast.product, role=Role.PRODUCT_LEAD, by=None, now=now)
    assert deputyships_of(cast.product.pk, now=now) == ()
