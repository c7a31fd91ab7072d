"""Who is no second person: whom the proposer has just given the role, and nobody for a proposer who is gone."""

from datetime import datetime, timedelta
from functools import partial

import pytest
import yaml
from django.contrib.auth.models import User
from django.db import transaction

from benchmarking.runs.actions import sandbox
from governance.inventory.actions import inventory
from governance.people.actions import grants, people
from governance.people.approvals import actions as approvals
from governance.people.approvals import queries as reads
from governance.people.approvals.models import Change
from governance.people.domain.roles import Role
from governance.people.models import RoleGrant, Team
from governance.people.queries.membership import team_slugs_of
from governance.people.queries.people import person_of
from governance.rulebook.actions import documents as rulebook
from governance.rulebook.domain import defaults
from tests.factories.changes import REASON, grant, propose
from tests.factories.models import accept_ownership, make_version
from tests.factories.people import Cast, make_person
from tests.factories.policies import LEAN
from tests.factories.snapshots import snapshot
from tests.integration.governance.budgets.audited import changed
from tests.refusals import has_code
from tests.standstill import refused
from weighbridge.core.errors import NotAllowed, WrongState

DAY = timedelta(hours=24)


@pytest.fixture
def second(cast: Cast, now: datetime) -> User:
    return make_person("second.admin", Role.ADMIN, now=now)


@pytest.fixture
def promoted(cast: Cast, second: User, now: datetime) -> User:
    """Proposed as an administrator by `admin`, confirmed by the second one."""
    grant(user=cast.outsider, role=Role.ADMIN, by=cast.admin, confirmed_by=second, now=now)
    return cast.outsider


def wish(cast: Cast, by: User, now: datetime) -> Change:
    return grants.propose_grant(user=cast.author, role=Role.FINANCE, reason=REASON, by=by, now=now)


@pytest.mark.parametrize("proposer", ["admin", "second"])
def test_whom_the_proposer_just_promoted_does_not_confirm(
    cast: Cast, second: User, promoted: User, now: datetime, proposer: str
) -> None:
    """Neither for the one who proposed the role nor for the one who confirmed it."""
    by, other = (cast.admin, second) if proposer == "admin" else (second, cast.admin)
    change, before = wish(cast, by, now + DAY - timedelta(seconds=1)), snapshot()
    with pytest.raises(NotAllowed, match="has given you the role since, or less than 24 hours before") as refusal:
        approvals.confirm(change=change, by=promoted, now=now + DAY)
    assert (refusal.value.code, snapshot(), reads.confirmers(change)) == ("new_role", before, [other])


def test_a_role_of_yesterday_confirms(cast: Cast, promoted: User, now: datetime) -> None:
    approvals.confirm(change=wish(cast, cast.admin, now + DAY), by=promoted, now=now + DAY)
    assert RoleGrant.objects.filter(user=cast.author, role="finance").exists()


def test_a_role_given_after_the_proposal_does_not_confirm_it(cast: Cast, second: User, now: datetime) -> None:
    change, later = wish(cast, cast.admin, now), now + 2 * DAY
    grant(user=cast.outsider, role=Role.ADMIN, by=cast.admin, confirmed_by=second, now=later)
    with pytest.raises(NotAllowed, check=has_code("new_role")):
        approvals.confirm(change=change, by=cast.outsider, now=later)


def test_a_role_from_other_people_or_an_older_one_confirms_at_once(cast: Cast, promoted: User, now: datetime) -> None:
    third = make_person("third.admin", Role.ADMIN, now=now)
    approvals.confirm(change=wish(cast, third, now), by=promoted, now=now)
    change = changed(cast, now)
    grant(user=cast.finance, role=Role.PLATFORM_LEAD, by=cast.admin, confirmed_by=third, now=now)
    approvals.confirm(change=change, by=cast.finance, now=now)


def _policy(cast: Cast, now: datetime) -> Change:
    draft = rulebook.draft_policy(source=defaults.text_of(defaults.POLICY), by=cast.approver, now=now)
    return propose(version=draft, by=cast.approver, now=now)


def _sandbox(cast: Cast, now: datetime) -> Change:
    change = sandbox.choose(may_skip_bubblewrap=True, reason=REASON, by=cast.admin, now=now)
    assert isinstance(change, Change)
    return change


PROPOSALS = {
    "policy": _policy,
    "role": lambda cast, now: wish(cast, cast.admin, now),
    "budget": changed,
    "sandbox": _sandbox,
}


@pytest.mark.parametrize("kind", PROPOSALS)
def test_what_a_proposer_left_behind_is_not_confirmed(cast: Cast, second: User, now: datetime, kind: str) -> None:
    """The account was closed, or the role revoked."""
    change = PROPOSALS[kind](cast, now)
    proposer = change.proposed_by
    role = Role.ADMIN if proposer == cast.admin else Role.PLATFORM_LEAD
    by = cast.finance if kind == "budget" else second
    for loses in (partial(people.close_account), partial(people.revoke_role, role=role)):
        with transaction.atomic():
            loses(user=proposer, by=second, now=now)
            before = snapshot()
            with pytest.raises(WrongState, match="may no longer propose it"):
                approvals.confirm(change=change, by=by, now=now)
            assert snapshot() == before
            transaction.set_rollback(True)
    with transaction.atomic():
        people.close_account(user=by, by=None, now=now)
        by.refresh_from_db()
        with pytest.raises(NotAllowed, match="Your account is not active"):
            approvals.confirm(change=change, by=by, now=now)
        transaction.set_rollback(True)
    by.refresh_from_db()
    approvals.confirm(change=change, by=by, now=now)


def test_which_teams_a_person_belongs_to(cast: Cast, now: datetime) -> None:
    """Requesters, former ones, owners of models, and former owners, for ninety days."""
    home, ads = Team.objects.get(slug="search"), Team.objects.get(slug="ads")

    def teams(user: User, days: int = 0) -> frozenset[str]:
        return team_slugs_of(person_of(user), now=now + timedelta(days=days))

    assert (teams(cast.author), teams(cast.finance)) == ({"search"}, frozenset())
    people.grant_role(user=cast.author, role=Role.REQUESTER, team=ads, by=cast.admin, now=now)
    people.revoke_role(user=cast.author, role=Role.REQUESTER, team=ads, by=cast.admin, now=now)
    people.revoke_role(user=cast.approver, role=Role.PLATFORM_LEAD, by=cast.admin, now=now)
    assert (teams(cast.author, 89), teams(cast.author, 91)) == ({"search", "ads"}, {"search"})
    assert teams(cast.approver) == frozenset()
    asset = make_version(by=cast.author, now=now).asset
    own = {
        "team": home.slug,
        "slug": asset.slug,
        "name": asset.name,
        "tier": asset.tier,
        "task": "classification",
        "by": cast.author,
    }
    inventory.register_asset(**own, owner=cast.finance, now=now)
    assert teams(cast.finance) == frozenset()
    accept_ownership(asset=asset, now=now)
    assert teams(cast.finance, 1000) == {"search"}
    inventory.register_asset(**own, owner=cast.author, now=now)
    assert (teams(cast.finance, 89), teams(cast.finance, 91)) == ({"search"}, frozenset())


@pytest.mark.parametrize("freed", [{"teams": ["ads"]}, {"teams": ["search"]}, {}])
def test_who_belongs_to_a_team_with_rules_of_its_own_confirms_no_such_policy(
    cast: Cast, second: User, now: datetime, freed: dict[str, list[str]]
) -> None:
    """A rule about one team alone, and one that exempts only the others; the same rule for all is everybody's."""
    rulebook.publish(version=rulebook.draft_policy(source=LEAN, by=None, now=now), by=None, now=now)
    source = yaml.safe_load(LEAN)
    if freed == {"teams": ["ads"]}:
        source["rules"][0] |= {"scope": freed, "id": "renamed"}
    else:
        source["rules"].append(source["rules"][0] | {"id": "more", "limit": 1, "scope": freed})
    draft = rulebook.draft_policy(source=yaml.safe_dump(source), by=cast.approver, now=now)
    change = propose(version=draft, by=cast.approver, now=now)
    team = Team.objects.get(slug="search")
    people.grant_role(user=cast.admin, role=Role.REQUESTER, team=team, by=None, now=now)
    people.revoke_role(user=cast.admin, role=Role.REQUESTER, team=team, by=None, now=now)
    if freed:
        with refused(NotAllowed, match="You belong to a team whose rules this changes .search.", code="own_team"):
            approvals.confirm(change=change, by=cast.admin, now=now)
    approvals.confirm(change=change, by=second if freed else cast.admin, now=now)
