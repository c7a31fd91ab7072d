"""What binds people is changed by two: every way to be one's own second person is refused, here and by the database."""

from datetime import datetime, timedelta
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError, connection, transaction

from governance.audit.models import AuditEvent
from governance.people.actions import grants, people
from governance.people.approvals import actions as approvals
from governance.people.approvals import queries as reads
from governance.people.approvals.enums import Changed
from governance.people.approvals.models import Change
from governance.people.domain.roles import BINDING, Role
from governance.people.models import RoleGrant
from governance.people.queries.people import person_of
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.actions import publication
from governance.rulebook.domain import defaults
from governance.rulebook.models import ChecklistVersion, PolicyVersion
from tests.factories.changes import REASON, grant, propose
from tests.factories.people import Cast, make_cast, make_person
from tests.factories.snapshots import snapshot
from tests.refusals import has_code
from tests.threads import together
from weighbridge.core.errors import Invalid, NotAllowed, WrongState

WEEK = timedelta(days=7)
POLICY, CHECKLIST = defaults.text_of(defaults.POLICY), defaults.text_of(defaults.CHECKLIST)


@pytest.fixture
def second(cast: Cast, now: datetime) -> User:
    """Another administrator."""
    return make_person("second.admin", Role.ADMIN, now=now)


@pytest.fixture
def draft(cast: Cast, now: datetime) -> PolicyVersion:
    """By the platform lead."""
    return rulebook.draft_policy(source=POLICY, by=cast.approver, now=now)


def wish(cast: Cast, by: User, now: datetime, role: Role = Role.REVIEWER) -> Change:
    return grants.propose_grant(user=cast.author, role=role, reason=REASON, by=by, now=now)


def events(change: Change) -> list[tuple[str, str, str]]:
    rows = AuditEvent.objects.filter(subject_type="change", subject=str(change)).order_by("position")
    return list(rows.values_list("kind", "actor", "reason"))


def test_a_version_is_proposed_and_confirmed(cast: Cast, draft: PolicyVersion, now: datetime) -> None:
    change = propose(version=draft, by=cast.approver, now=now)
    assert (change.description, change.state, change.expires_at) == (
        "Publish the policy default v1",
        "pending",
        now + WEEK,
    )
    assert PolicyVersion.objects.get().state == "draft"
    done = approvals.confirm(change=change, by=cast.admin, now=now + timedelta(hours=1))
    assert (done.state, done.closed_by, done.closed_at) == ("confirmed", cast.admin, now + timedelta(hours=1))
    version = PolicyVersion.objects.get()
    assert (version.state, version.published_by) == ("published", cast.admin)
    assert events(change) == [("change.proposed", "Approver", REASON), ("change.confirmed", "Admin", "")]
    last = AuditEvent.objects.latest("position")
    assert last.details == {"description": "Publish the policy default v1", "proposed_by": "approver"}
    assert AuditEvent.objects.filter(kind="policy.published", actor="Admin").count() == 1


def test_a_checklist_goes_the_same_way(cast: Cast, now: datetime) -> None:
    version = rulebook.draft_checklist(source=CHECKLIST, by=cast.approver, now=now)
    change = propose(version=version, by=cast.approver, now=now)
    assert change.description == "Publish the checklist standard v1"
    approvals.confirm(change=change, by=cast.admin, now=now)
    assert ChecklistVersion.objects.get().state == "published"


@pytest.mark.parametrize("role", sorted(BINDING))
def test_a_role_is_proposed_and_confirmed(cast: Cast, second: User, now: datetime, role: Role) -> None:
    change = wish(cast, second, now, role)
    assert role not in person_of(cast.author).roles
    approvals.confirm(change=change, by=cast.admin, now=now)
    assert person_of(cast.author).roles == {Role.REQUESTER, role}
    granted = AuditEvent.objects.get(kind="role.granted", subject="author", details__role=role.value)
    assert (granted.actor, granted.details["change"]) == ("Admin", str(change))
    assert change.description == f"Give Author the role {role.label.lower()}"


def test_who_may_propose_confirm_and_refuse(cast: Cast, second: User, draft: PolicyVersion, now: datetime) -> None:
    """The truth table: each person against each step, on a draft of the lead that the second administrator proposed."""
    people_ = [*cast.everybody(), second]
    change = propose(version=draft, by=second, now=now)
    may = {
        "propose": {cast.approver, cast.admin, second},
        "grant": {cast.admin, second},
        "confirm": {cast.admin},
        "refuse": {cast.admin, second},
    }
    own = rulebook.draft_policy(source=POLICY, by=cast.approver, now=now)
    steps = {
        "propose": lambda by: propose(version=own, by=by, now=now),
        "grant": lambda by: grants.propose_grant(user=cast.outsider, role=Role.FINANCE, reason=REASON, by=by, now=now),
        "confirm": lambda by: approvals.confirm(change=change, by=by, now=now),
        "refuse": lambda by: approvals.refuse(change=change, reason=REASON, by=by, now=now),
    }
    for name, step in steps.items():
        for person in people_:
            before = snapshot()
            if person in may[name]:
                with transaction.atomic():
                    step(person)
                    assert snapshot() != before
                    transaction.set_rollback(True)
            else:
                with pytest.raises(NotAllowed):
                    step(person)
            assert snapshot() == before, (name, person)


def test_nobody_is_their_own_second_person(cast: Cast, second: User, draft: PolicyVersion, now: datetime) -> None:
    own = rulebook.draft_policy(source=POLICY, by=cast.admin, now=now)
    for change, reason in (
        (propose(version=own, by=cast.admin, now=now), "You proposed this change"),
        (propose(version=draft, by=cast.admin, now=now), "You proposed this change"),
        (wish(cast, cast.admin, now), "You proposed this change"),
    ):
        before = snapshot()
        with pytest.raises(NotAllowed, match=reason):
            approvals.confirm(change=change, by=cast.admin, now=now)
        assert snapshot() == before
    approvals.refuse(
        change=reads.open_for(kind=Changed.POLICY, subject=own),
        reason="To be proposed by another.",
        by=cast.admin,
        now=now,
    )  # type: ignore[arg-type]
    change = propose(version=own, by=second, now=now)
    with pytest.raises(NotAllowed, match="You wrote the version that this change publishes"):
        approvals.confirm(change=change, by=cast.admin, now=now)
    assert reads.confirmers(change) == []
    third = make_person("third.admin", Role.ADMIN, now=now)
    assert reads.confirmers(change) == [third]
    approvals.confirm(change=change, by=third, now=now)


def test_nobody_grants_themself_a_role_by_any_hand(cast: Cast, second: User, now: datetime) -> None:
    before = snapshot()
    with pytest.raises(NotAllowed, match="You cannot grant or revoke your own roles"):
        grants.propose_grant(user=cast.admin, role=Role.REVIEWER, reason=REASON, by=cast.admin, now=now)
    assert snapshot() == before
    change = grants.propose_grant(user=cast.admin, role=Role.PLATFORM_LEAD, reason=REASON, by=second, now=now)
    with pytest.raises(NotAllowed, match="gain a role by it"):
        approvals.confirm(change=change, by=cast.admin, now=now)
    assert person_of(cast.admin).roles == {Role.ADMIN}


def test_a_proposal_expires_after_seven_days(cast: Cast, draft: PolicyVersion, now: datetime) -> None:
    change = propose(version=draft, by=cast.approver, now=now)
    early = now + WEEK - timedelta(microseconds=1)
    assert approvals.expire(now=early) == []
    before = snapshot()
    with pytest.raises(WrongState, match=r"CHG-\d+ was not confirmed by"):
        approvals.confirm(change=change, by=cast.admin, now=now + WEEK)
    assert snapshot() == before
    assert approvals.expire(now=now + WEEK) == [change]
    assert approvals.expire(now=now + WEEK) == []
    assert events(change)[1:] == [("change.expired", "system", "")]
    with pytest.raises(WrongState, match=r"is expired\. Propose it again"):
        approvals.confirm(change=change, by=cast.admin, now=early)
    again = propose(version=draft, by=cast.approver, now=now + WEEK)
    approvals.confirm(change=again, by=cast.admin, now=now + WEEK)


def test_a_expired_proposal_is_no_obstacle_before_anybody_swept_it(
    cast: Cast, draft: PolicyVersion, now: datetime
) -> None:
    old = propose(version=draft, by=cast.approver, now=now)
    propose(version=draft, by=cast.approver, now=now + WEEK)
    old.refresh_from_db()
    assert (old.state, old.closed_by) == ("expired", None)


def test_refused_or_withdrawn_with_a_reason_and_nothing_moves(
    cast: Cast, second: User, draft: PolicyVersion, now: datetime
) -> None:
    change = propose(version=draft, by=cast.approver, now=now)
    with pytest.raises(Invalid, match="Give a reason of 10 to 2,000 characters"):
        approvals.refuse(change=change, reason="  no  ", by=cast.admin, now=now)
    closed = approvals.refuse(change=change, reason="The limits are too loose.", by=cast.admin, now=now)
    assert (closed.state, closed.closed_by) == ("refused", cast.admin)
    assert events(change)[1:] == [("change.refused", "Admin", "The limits are too loose.")]
    again = propose(version=draft, by=cast.approver, now=now)
    closed = approvals.refuse(change=again, reason="I found a mistake.", by=cast.approver, now=now)
    assert (closed.state, closed.closed_by) == ("withdrawn", cast.approver)
    for step in (
        lambda: approvals.confirm(change=again, by=cast.admin, now=now),
        lambda: approvals.refuse(change=again, reason="Once more, no.", by=cast.admin, now=now),
    ):
        with pytest.raises(WrongState, match=r"is withdrawn\. Propose it again if it is still needed"):
            step()
    assert PolicyVersion.objects.get().state == "draft"
    assert not RoleGrant.objects.filter(user=cast.author, role="reviewer").exists()


@pytest.mark.parametrize("reason", ["", " " * 20, "too short", "x" * 2001])
def test_a_proposal_says_why(cast: Cast, draft: PolicyVersion, now: datetime, reason: str) -> None:
    before = snapshot()
    with pytest.raises(Invalid) as refusal:
        publication.propose_publication(version=draft, reason=reason, by=cast.approver, now=now)
    assert refusal.value.field == "reason"
    assert snapshot() == before


def test_what_cannot_be_proposed(cast: Cast, now: datetime) -> None:
    before = snapshot()
    for role in set(Role) - BINDING:
        with pytest.raises(Invalid, match=r"needs no second person\. An administrator can grant it directly"):
            grants.propose_grant(user=cast.outsider, role=role, reason=REASON, by=cast.admin, now=now)
    with pytest.raises(Invalid, match="finance already has that role"):
        grants.propose_grant(user=cast.finance, role=Role.FINANCE, reason=REASON, by=cast.admin, now=now)
    assert snapshot() == before
    cast.author.is_active = False
    cast.author.save()
    with pytest.raises(Invalid, match="The account author is closed"):
        wish(cast, cast.admin, now)


def test_one_proposal_of_a_thing_at_a_time(cast: Cast, second: User, draft: PolicyVersion, now: datetime) -> None:
    propose(version=draft, by=cast.approver, now=now)
    wish(cast, second, now)
    before = snapshot()
    for again in (lambda: propose(version=draft, by=cast.admin, now=now), lambda: wish(cast, cast.admin, now)):
        with pytest.raises(WrongState, check=has_code("already_open")):
            again()
    assert snapshot() == before
    wish(cast, second, now, Role.FINANCE)


def test_a_proposer_who_lost_the_right_has_proposed_nothing(cast: Cast, second: User, now: datetime) -> None:
    draft = rulebook.draft_policy(source=POLICY, by=cast.approver, now=now)
    publication, role = propose(version=draft, by=cast.approver, now=now), wish(cast, second, now)
    people.revoke_role(user=second, role=Role.ADMIN, by=cast.admin, now=now)
    cast.approver.is_active = False
    cast.approver.save()
    before = snapshot()
    for change in (publication, role):
        with pytest.raises(WrongState, match=r"may no longer propose it\. Refuse it, and propose it again"):
            approvals.confirm(change=change, by=cast.admin, now=now)
    assert snapshot() == before
    assert approvals.refuse(change=role, reason="They have left us.", by=cast.admin, now=now).state == "refused"


def test_a_version_put_in_force_on_the_server_meanwhile_is_not_published_again(
    cast: Cast, draft: PolicyVersion, now: datetime
) -> None:
    change = propose(version=draft, by=cast.approver, now=now)
    rulebook.publish(version=draft, by=None, now=now)
    before = snapshot()
    with pytest.raises(WrongState, match="default v1 is published; only a draft can be published"):
        approvals.confirm(change=change, by=cast.admin, now=now)
    assert snapshot() == before


def test_a_role_given_on_the_server_meanwhile_is_given_once(cast: Cast, second: User, now: datetime) -> None:
    change = wish(cast, second, now)
    people.grant_role(user=cast.author, role=Role.REVIEWER, by=None, now=now)
    approvals.confirm(change=change, by=cast.admin, now=now)
    assert RoleGrant.objects.filter(user=cast.author, role="reviewer").count() == 1
    assert AuditEvent.objects.filter(kind="role.granted", subject="author", details__role="reviewer").count() == 1


@pytest.mark.parametrize(
    ("name", "closing"),
    [
        ("another_person_confirms", "state = 'confirmed', closed_at = proposed_at, closed_by_id = proposed_by_id"),
        ("nobody_gains_by_own_hand", "state = 'confirmed', closed_at = proposed_at, closed_by_id = gains_id"),
        ("another_person_confirms|closed_change", "state = 'confirmed', closed_at = proposed_at"),
        ("closed_change_says", "state = 'refused', closed_at = proposed_at"),
        ("closed_change_says", "state = 'withdrawn', closed_at = proposed_at"),
        ("closed_change_says", "state = 'withdrawn', closed_at = proposed_at, closed_by_id = {admin}"),
        ("closed_change_says", "state = 'expired', closed_at = proposed_at, closed_by_id = {admin}"),
        ("closed_change_says", "state = 'refused', closed_by_id = {admin}"),
        ("closed_change_says", "state = 'done', closed_at = proposed_at, closed_by_id = {admin}"),
        ("change_waits_seven_days", "state = 'confirmed', closed_at = expires_at, closed_by_id = {admin}"),
        ("closed once", "reason = 'Another.'"),
        ("closed once", "state = 'confirmed', closed_at = proposed_at, closed_by_id = {admin}, part = 'admin'"),
        (
            "closed once",
            "state = 'confirmed', closed_at = proposed_at, closed_by_id = {admin}, proposed_by_id = gains_id",
        ),
    ],
)
def test_the_database_refuses_a_wrong_end(cast: Cast, second: User, now: datetime, name: str, closing: str) -> None:
    change = wish(cast, second, now)
    with pytest.raises(DatabaseError, match=name), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE approvals_change SET {closing.format(admin=cast.admin.pk)}")
    change.refresh_from_db()
    assert change.state == "pending"


def test_the_database_refuses_a_wrong_beginning(cast: Cast, draft: PolicyVersion, now: datetime) -> None:
    fine = {
        "reason": REASON,
        "proposed_by": cast.admin,
        "proposed_at": now,
        "expires_at": now + WEEK,
        "description": "It",
    }
    fine |= {"kind": Changed.ROLE, "subject_id": cast.author.pk}
    about = {"gains": cast.author, "part": "reviewer"}
    wrong = [
        ("change_names_one_thing", {}),
        ("change_names_one_thing", {"gains": cast.author}),
        ("change_names_one_thing", {"part": "reviewer"}),
        ("change_names_one_thing", about | {"part": "auditor"}),
        ("change_names_one_thing", about | {"kind": Changed.POLICY, "subject_id": draft.pk}),
        ("change_names_one_thing", about | {"kind": Changed.BUDGET}),
        ("change_names_one_thing", about | {"kind": "tea"}),
        ("nobody_gains_by_own_hand", about | {"gains": cast.admin, "subject_id": cast.admin.pk}),
        ("change_waits_seven_days", about | {"expires_at": now + WEEK + timedelta(seconds=1)}),
        ("change_waits_seven_days", about | {"expires_at": now}),
    ]
    for name, fields in wrong:
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            Change.objects.create(**fine | fields)
    with pytest.raises(DatabaseError, match="proposed before it is closed"), transaction.atomic():
        Change.objects.create(**fine | about, state="confirmed", closed_by=cast.finance, closed_at=now)


def test_a_closed_change_never_changes(cast: Cast, second: User, now: datetime) -> None:
    change = wish(cast, second, now)
    approvals.refuse(change=change, reason="Not this quarter.", by=cast.admin, now=now)
    for order in (
        "UPDATE approvals_change SET state = 'pending', closed_at = NULL, closed_by_id = NULL",
        "UPDATE approvals_change SET closing_reason = 'Yes.'",
        "DELETE FROM approvals_change",
    ):
        with pytest.raises(DatabaseError, match="closed once"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(order)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL weighbridge.maintenance = 'off'")
        with pytest.raises(DatabaseError, match="TRUNCATE is refused"), transaction.atomic():
            cursor.execute("TRUNCATE approvals_change CASCADE")


@pytest.mark.django_db(transaction=True)
def test_of_many_who_confirm_at_once_one_does(now: datetime) -> None:
    cast = make_cast(now=now)
    admins = [cast.admin, *(make_person(f"admin.{name}", Role.ADMIN, now=now) for name in ("two", "three", "four"))]
    for round_ in range(5):
        source = POLICY.replace("limit: 200", f"limit: {100 + round_}")
        version = rulebook.draft_policy(source=source, by=cast.approver, now=now)
        change = propose(version=version, by=cast.approver, now=now)
        said = together([partial(approvals.confirm, change=change, by=admin, now=now) for admin in admins])
        assert sorted(type(each).__name__ for each in said) == ["Change", *["WrongState"] * 3]
        assert AuditEvent.objects.filter(kind="policy.published", subject=str(version)).count() == 1
        assert events(change)[1][0] == "change.confirmed"
        assert len(events(change)) == 2


@pytest.mark.django_db(transaction=True)
def test_a_yes_and_a_no_at_once_are_one_of_both(now: datetime) -> None:
    cast = make_cast(now=now)
    second, third = (make_person(f"admin.{name}", Role.ADMIN, now=now) for name in ("two", "three"))
    for role in sorted(BINDING):
        change = wish(cast, second, now, role)
        yes = partial(approvals.confirm, change=change, by=cast.admin, now=now)
        no = partial(approvals.refuse, change=change, reason="Not this quarter.", by=third, now=now)
        said = together([yes, no])
        change.refresh_from_db()
        assert sorted(type(each).__name__ for each in said) == ["Change", "WrongState"]
        assert (role in person_of(cast.author).roles) == (change.state == "confirmed")


@pytest.mark.django_db(transaction=True)
def test_of_two_versions_confirmed_at_once_one_is_in_force(now: datetime) -> None:
    cast = make_cast(now=now)
    second = make_person("admin.two", Role.ADMIN, now=now)
    waiting = [
        propose(version=rulebook.draft_policy(source=POLICY, by=cast.approver, now=now), by=cast.approver, now=now)
        for _ in range(2)
    ]
    works = zip(waiting, (cast.admin, second), strict=True)
    said = together([partial(approvals.confirm, change=change, by=by, now=now) for change, by in works])
    assert [type(each).__name__ for each in said] == ["Change"] * 2
    assert sorted(PolicyVersion.objects.values_list("state", flat=True)) == ["published", "retired"]


def test_the_lists(cast: Cast, second: User, now: datetime) -> None:
    first = wish(cast, second, now)
    grant(user=cast.outsider, role=Role.FINANCE, by=second, confirmed_by=cast.admin, now=now)
    auditor = person_of(cast.auditor)
    assert list(reads.listed(person=auditor, state="pending")) == [first]
    assert [row.state for row in reads.listed(person=auditor, kind="role")] == ["confirmed", "pending"]
    assert list(reads.listed(person=auditor, kind="budget")) == []
    assert list(reads.listed(person=person_of(cast.finance))) == []
