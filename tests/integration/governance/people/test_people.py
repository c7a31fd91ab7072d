"""Teams, roles and tokens: granted by administrators, never to oneself, and tokens are kept as hashes alone."""

import hashlib
from datetime import datetime, timedelta
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from governance.audit.models import AuditEvent
from governance.people.actions import grants as changes
from governance.people.actions import people
from governance.people.approvals import actions as approvals
from governance.people.domain.roles import BINDING, Role
from governance.people.models import ApiToken, RoleGrant, Team
from governance.people.queries.people import people_with, person_of, teams_of
from tests.factories.people import Cast, make_person
from tests.late_locks import late_locks
from tests.refusals import has_code
from tests.threads import in_the_middle
from weighbridge.core.errors import Invalid, NotAllowed, NotFound, WrongState


def counts() -> tuple[int, int, int, int]:
    return Team.objects.count(), RoleGrant.objects.count(), ApiToken.objects.count(), AuditEvent.objects.count()


def last_event() -> tuple[str, str, str, dict[str, object]]:
    event = AuditEvent.objects.latest("position")
    return event.kind, event.subject, event.actor, event.details


def test_a_team_is_opened_once(cast: Cast, now: datetime) -> None:
    team = people.create_team(slug="maps", name="Maps", by=cast.admin, now=now)
    assert last_event() == ("team.created", "maps", "Admin", {"name": "Maps"})
    before = counts()
    assert people.create_team(slug="maps", name="Other", by=cast.admin, now=now) == team
    assert counts() == before
    assert Team.objects.get(slug="maps").name == "Maps"


@pytest.mark.parametrize("slug", ["", "two words", "a/b", "ü", "x" * 61])
def test_a_slug_that_no_address_can_hold_is_refused(db: None, now: datetime, slug: str) -> None:
    with pytest.raises(Invalid) as refusal:
        people.create_team(slug=slug, name="X", by=None, now=now)
    assert refusal.value.field == "slug"
    assert counts() == (0, 0, 0, 0)


def test_a_role_is_granted_once_and_taken_back_once(cast: Cast, now: datetime) -> None:
    grant = people.grant_role(user=cast.author, role=Role.AUDITOR, by=cast.admin, now=now)
    assert last_event() == ("role.granted", "author", "Admin", {"role": "auditor", "team": None})
    before = counts()
    assert people.grant_role(user=cast.author, role=Role.AUDITOR, by=cast.admin, now=now) == grant
    assert counts() == before
    assert person_of(cast.author).roles == {Role.REQUESTER, Role.AUDITOR}
    people.revoke_role(user=cast.author, role=Role.AUDITOR, by=cast.admin, now=now)
    assert last_event() == ("role.revoked", "author", "Admin", {"role": "auditor", "team": None})
    assert person_of(cast.author).roles == {Role.REQUESTER}
    before = counts()
    with pytest.raises(NotFound, match="author does not have that role"):
        people.revoke_role(user=cast.author, role=Role.AUDITOR, by=cast.admin, now=now)
    assert counts() == before


@pytest.mark.parametrize("role", sorted(BINDING))
def test_one_administrator_grants_no_role_that_binds_people(cast: Cast, now: datetime, role: Role) -> None:
    second = make_person("second.admin", Role.ADMIN, now=now)
    foreign = changes.propose_grant(user=cast.author, role=role, reason="We need one more.", by=second, now=now)
    before = counts()
    for change in (None, foreign):
        with pytest.raises(NotAllowed, check=has_code("two_people")):
            people.grant_role(user=cast.author, role=role, change=change, by=cast.admin, now=now)
    assert counts() == before
    people.revoke_role(user=second, role=Role.ADMIN, by=cast.admin, now=now)
    assert person_of(second).roles == set(), "taking away needs no second person"


def test_a_confirmed_change_grants_what_it_names_and_no_more(cast: Cast, now: datetime) -> None:
    second = make_person("second.admin", Role.ADMIN, now=now)
    change = changes.propose_grant(user=cast.author, role=Role.REVIEWER, reason="We need one more.", by=second, now=now)
    approvals.confirm(change=change, by=cast.admin, now=now)
    before = counts()
    wrong = [(cast.author, Role.FINANCE, cast.admin), (cast.outsider, Role.REVIEWER, cast.admin)]
    for user, role, by in (*wrong, (cast.author, Role.REVIEWER, second)):
        with pytest.raises(NotAllowed, check=has_code("two_people")):
            people.grant_role(user=user, role=role, change=change, by=by, now=now)
    assert counts() == before


def test_an_operator_on_the_server_needs_no_account(cast: Cast, now: datetime) -> None:
    people.grant_role(user=cast.admin, role=Role.FINANCE, by=None, now=now)
    assert AuditEvent.objects.latest("position").reason == "By an operator on the server, without a second person."
    people.revoke_role(user=cast.admin, role=Role.ADMIN, by=None, now=now)
    assert last_event() == ("role.revoked", "admin", "system", {"role": "admin", "team": None})
    assert person_of(cast.admin).roles == {Role.FINANCE}


def test_a_requester_belongs_to_a_team_and_nobody_else_does(cast: Cast, now: datetime) -> None:
    home = Team.objects.get(slug="search")
    people.grant_role(user=cast.outsider, role=Role.REQUESTER, team=home, by=cast.admin, now=now)
    assert last_event()[3] == {"role": "requester", "team": "search"}
    assert person_of(cast.outsider).teams == {"search", "ads"}
    assert [team.slug for team in teams_of(person_of(cast.outsider))] == ["ads", "search"]
    before = counts()
    for role in Role:
        wrong = None if role is Role.REQUESTER else home
        with pytest.raises(Invalid, match="The role requester is granted for a team"):
            people.grant_role(user=cast.author, role=role, team=wrong, by=cast.admin, now=now)
    assert counts() == before


def test_the_database_holds_it_too(cast: Cast) -> None:
    home = Team.objects.get(slug="search")
    wrong = [
        {"role": "requester", "team": None},
        {"role": "reviewer", "team": home},
        {"role": "king", "team": None},
        {"role": "requester", "team": home},
    ]
    for fields in wrong:
        with pytest.raises(IntegrityError), transaction.atomic():
            RoleGrant.objects.create(user=cast.author, **fields)
    with pytest.raises(IntegrityError, match="one_grant"), transaction.atomic():
        RoleGrant.objects.create(user=cast.admin, role="admin", team=None)


@pytest.mark.parametrize("role", list(Role))
def test_nobody_grants_or_revokes_a_role_of_their_own(cast: Cast, now: datetime, role: Role) -> None:
    team = Team.objects.get(slug="search") if role is Role.REQUESTER else None
    before = counts()
    for action in (people.grant_role, people.revoke_role):
        with pytest.raises(NotAllowed, match=r"You cannot grant or revoke your own roles\. Ask another administrator"):
            action(user=cast.admin, role=role, team=team, by=cast.admin, now=now)
    assert counts() == before


def test_only_administrators_manage_people(cast: Cast, now: datetime) -> None:
    before = counts()
    for person in cast.everybody():
        if person == cast.admin:
            continue
        actions = [
            lambda by=person: people.create_team(slug="maps", name="Maps", by=by, now=now),
            lambda by=person: people.grant_role(user=cast.finance, role=Role.ADMIN, by=by, now=now),
            lambda by=person: people.revoke_role(user=cast.admin, role=Role.ADMIN, by=by, now=now),
        ]
        for action in actions:
            with pytest.raises(NotAllowed, match="Only an administrator may manage people"):
                action()
    assert counts() == before


def test_an_administrator_who_left_manages_nobody(cast: Cast, now: datetime) -> None:
    cast.admin.is_active = False
    cast.admin.save()
    with pytest.raises(NotAllowed, match="not active"):
        people.grant_role(user=cast.author, role=Role.ADMIN, by=cast.admin, now=now)
    assert people_with(Role.ADMIN) == []


def test_an_account_is_closed_once_and_by_another(cast: Cast, now: datetime) -> None:
    people.close_account(user=cast.finance, by=cast.admin, now=now)
    assert last_event() == ("account.closed", "finance", "Admin", {})
    cast.finance.refresh_from_db()
    assert not cast.finance.is_active
    assert person_of(cast.finance).roles == {Role.FINANCE}, "what it did stays explained"
    people.close_account(user=cast.author, by=None, now=now)
    before = counts()
    with pytest.raises(WrongState, match="The account finance is already closed"):
        people.close_account(user=cast.finance, by=cast.admin, now=now)
    for by, user in ((cast.admin, cast.admin), (cast.approver, cast.auditor)):
        with pytest.raises(NotAllowed):
            people.close_account(user=user, by=by, now=now)
    assert counts() == before


def test_a_token_is_shown_once_and_kept_as_a_hash(cast: Cast, now: datetime) -> None:
    token = people.create_token(user=cast.author, valid_days=30, by=cast.author, now=now)
    row = ApiToken.objects.get()
    assert token.startswith("wb_")
    assert len(token) >= 3 + 43, "256 bits of chance"
    assert row.digest == hashlib.sha256(token.encode()).hexdigest()
    assert (row.user, row.prefix, row.expires_at) == (cast.author, token[:9], now + timedelta(days=30))
    assert last_event() == (
        "token.created",
        "author",
        "Author",
        {"prefix": token[:9], "valid_days": 30, "scope": "write"},
    )
    kept = str([list(ApiToken.objects.values_list()), list(AuditEvent.objects.values_list())])
    assert token not in kept
    assert token[9:] not in kept
    assert people.create_token(user=cast.author, valid_days=30, by=None, now=now) != token


def test_nobody_makes_a_token_that_acts_as_somebody_else(cast: Cast, now: datetime) -> None:
    before = counts()
    with pytest.raises(NotAllowed, match="create tokens only for yourself"):
        people.create_token(user=cast.reviewer_one, valid_days=1, by=cast.admin, now=now)
    assert counts() == before


@pytest.mark.parametrize(
    ("days", "is_fine"), [(-1, False), (0, False), (1, True), (366, True), (367, False), (10**9, False)]
)
def test_a_token_is_valid_for_a_year_at_most(cast: Cast, now: datetime, days: int, is_fine: bool) -> None:
    before = counts()
    if is_fine:
        people.create_token(user=cast.author, valid_days=days, by=None, now=now)
        assert ApiToken.objects.get().expires_at == now + timedelta(days=days)
    else:
        with pytest.raises(Invalid, match="A token can be valid for 1 to 366 days") as refusal:
            people.create_token(user=cast.author, valid_days=days, by=None, now=now)
        assert refusal.value.field == "valid_days"
        assert counts() == before


def test_who_somebody_is(cast: Cast) -> None:
    author = person_of(cast.author)
    assert (author.id, author.username, author.name) == (cast.author.pk, "author", "Author")
    assert (author.roles, author.teams, author.is_active) == ({Role.REQUESTER}, {"search"}, True)
    nameless = User.objects.create_user("nameless")
    assert person_of(nameless).name == "nameless"
    assert (person_of(nameless).roles, person_of(nameless).teams) == (frozenset(), frozenset())
    assert [user.username for user in people_with(Role.REVIEWER)] == ["reviewer_one", "reviewer_two"]


def test_a_person_is_locked_before_the_loss_of_a_role_is_recorded(cast: Cast, now: datetime) -> None:
    people.create_token(user=cast.author, valid_days=1, by=None, now=now)
    with late_locks() as late:
        people.revoke_role(
            user=cast.author, role=Role.REQUESTER, team=Team.objects.get(slug="search"), by=None, now=now
        )
    assert ApiToken.objects.get().revoked_at == now
    assert late == []


@pytest.mark.django_db(transaction=True)
def test_a_role_is_revoked_while_a_token_is_created(cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Team.objects.get(slug="search")
    create = partial(people.create_token, user=cast.author, valid_days=1, by=None, now=now)
    revoke = partial(people.revoke_role, user=cast.author, role=Role.REQUESTER, team=home, by=None, now=now)
    token, outcome = in_the_middle(monkeypatch, (ApiToken, "save"), create, revoke)
    assert isinstance(token, str)
    assert outcome is None
    assert ApiToken.objects.get().revoked_at == now


@pytest.mark.django_db(transaction=True)
def test_a_person_does_something_while_a_token_is_created(
    cast: Cast, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = partial(people.create_token, user=cast.author, valid_days=1, by=None, now=now)
    grant = partial(people.grant_role, user=cast.author, role=Role.AUDITOR, by=None, now=now)
    token, outcome = in_the_middle(monkeypatch, (ApiToken, "save"), create, grant)
    assert isinstance(token, str)
    assert isinstance(outcome, RoleGrant)
