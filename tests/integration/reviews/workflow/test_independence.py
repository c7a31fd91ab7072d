"""Who is independent enough to vote or to waive: conflicts of interest, teams, and roles in force at the decision."""

import pytest
from django.contrib.auth.models import User

from benchmarking.projections import actions as kept
from governance.audit.queries.keys import public_key
from governance.inventory.actions import inventory
from governance.inventory.models import ModelAsset
from governance.people.actions import people
from governance.people.domain.roles import Role
from governance.people.models import Team
from reviews.authorizations.models import Authorization, Condition
from reviews.requests.models import ReviewRequest
from reviews.workflow.actions import authorizations, projections, review, waivers
from reviews.workflow.actions.drafting import amendments
from tests.factories import requests as walks
from tests.factories.costs import cost_spec
from tests.factories.models import accept_ownership, make_version
from tests.factories.people import make_person
from tests.integration.reviews.workflow.worlds import World
from tests.standstill import refused
from weighbridge.core.attestation import verify
from weighbridge.core.errors import NotAllowed, WrongState


def last_vote(world: World, request: ReviewRequest, **changes: object) -> ReviewRequest:
    return world.vote(request, world.cast.approver, stage_id="gpu-budget", **changes)


def hand_over(world: World, of: ReviewRequest | ModelAsset, to: User, *, is_accepted: bool = True) -> None:
    asset = of if isinstance(of, ModelAsset) else of.model_version.asset
    inventory.register_asset(
        team="search",
        slug=asset.slug,
        name=asset.name,
        tier=asset.tier,
        task="classification",
        owner=to,
        by=world.mate,
        now=world.now,
    )
    if is_accepted:
        accept_ownership(asset=asset, now=world.now)


@pytest.mark.parametrize("is_accepted", [False, True])
def test_naming_a_voter_owner_never_voids_a_cast_vote(world: World, *, is_accepted: bool) -> None:
    request = world.before_the_last_vote()
    voters = set(request.votes.values_list("person__username", flat=True))
    hand_over(world, request, world.cast.reviewer_two, is_accepted=is_accepted)
    assert last_vote(world, request).state == "decided"
    signed = verify(Authorization.objects.get().envelope, public_key_pem=public_key())
    assert set(signed["predicate"]["approvers"]) == voters | {"approver"}


def test_naming_a_reviewer_owner_without_consent_keeps_nobody_from_voting(world: World) -> None:
    request = world.in_review()
    hand_over(world, request, world.cast.reviewer_one, is_accepted=False)
    world.vote(request, world.cast.reviewer_one)


def test_who_accepts_the_ownership_cannot_vote_any_more(world: World) -> None:
    request = world.in_review()
    hand_over(world, request, world.cast.reviewer_two)
    with refused(NotAllowed, match="You own this model", code="separation_of_duties"):
        world.vote(request, world.cast.reviewer_two)


def test_who_gave_the_model_away_a_minute_ago_cannot_vote(world: World) -> None:
    first = world.mate
    people.grant_role(user=first, role=Role.REVIEWER, by=None, now=world.now)
    version = make_version(by=world.cast.author, owner=first, now=world.now, slug="handed-over", seed=7)
    hand_over(world, version.asset, world.owner)
    request = walks.make_ready(by=world.cast.author, now=world.now, version=version, purpose="Handed over")
    walks.allocate_budget(team=request.team, by=world.cast.finance, now=world.now)
    request = review.request_review(request=request, by=world.cast.author, now=world.now)
    with refused(NotAllowed, match="until recently", code="separation_of_duties"):
        world.vote(request, first)


def test_the_registrar_of_the_artifact_and_of_the_data_cannot_vote(world: World) -> None:
    uploader = world.mate
    people.grant_role(user=uploader, role=Role.REVIEWER, by=None, now=world.now)
    version = make_version(by=uploader, owner=world.owner, now=world.now, slug="uploaded", seed=8)
    request = walks.make_ready(by=world.cast.author, now=world.now, version=version, purpose="Uploaded")
    walks.allocate_budget(team=request.team, by=world.cast.finance, now=world.now)
    request = review.request_review(request=request, by=world.cast.author, now=world.now)
    with refused(NotAllowed, match="(until recently|You registered this artifact)", code="separation_of_duties"):
        world.vote(request, uploader)


@pytest.mark.parametrize("part", ["filed", "registered", "owned", "gave away"])
def test_whoever_has_a_part_in_the_same_bytes_of_another_team_cannot_vote(world: World, part: str) -> None:
    voter, other = world.cast.reviewer_one, world.cast.outsider
    people.grant_role(user=voter, role=Role.REQUESTER, team=Team.objects.get(slug="ads"), by=None, now=world.now)
    by = other if part == "owned" else voter
    twin = make_version(by=by, team="ads", owner=voter if part == "owned" else None, now=world.now)
    if part == "filed":
        twin = make_version(by=other, team="ads", slug="again", now=world.now)
        walks.make_draft(by=voter, version=twin, with_data=False, now=world.now)
    elif part == "gave away":
        asset = inventory.register_asset(
            team="ads",
            slug=twin.asset.slug,
            name=twin.asset.name,
            tier="T1",
            task="classification",
            owner=other,
            by=other,
            now=world.now,
        )
        assert asset.owner == other
    request = world.in_review()
    with refused(NotAllowed, match="(for another team|until recently)", code="separation_of_duties"):
        world.vote(request, voter)


def test_whoever_made_the_projection_that_another_person_stated_cannot_vote(world: World) -> None:
    people.grant_role(user=world.mate, role=Role.REVIEWER, by=None, now=world.now)
    request, by = world.evidence(), world.cast.author
    projection = kept.project_and_store(spec=cost_spec(), by=world.mate, now=world.now)
    projections.state(request=request, projection=projection, option="own", by=by, now=world.now)
    walks.explain_everything(request=request, by=by, now=world.now)
    request = review.request_review(request=request, by=by, now=world.now)
    with refused(NotAllowed, match="You ran or edited evidence", code="separation_of_duties"):
        world.vote(request, world.mate)


def test_whoever_amended_the_request_cannot_vote_or_waive(world: World) -> None:
    people.grant_role(user=world.mate, role=Role.REVIEWER, by=None, now=world.now)
    people.grant_role(user=world.mate, role=Role.PLATFORM_LEAD, by=None, now=world.now)
    changed = amendments.Amendment(business_case="It raises the conversion by two percent.")
    why = "The numbers of the pilot are in."
    request = amendments.amend(request=world.in_review(), amendment=changed, reason=why, by=world.mate, now=world.now)
    request = review.request_review(request=request, by=world.cast.author, now=world.now)
    with refused(NotAllowed, match="You ran or edited evidence", code="separation_of_duties"):
        world.vote(request, world.mate)
    with refused(NotAllowed, match="no interest in this request"):
        waivers.grant(
            request=request, rule_id="business-gain-prod", valid_days=9, reason=why, by=world.mate, now=world.now
        )


@pytest.mark.parametrize("left", [False, True])
def test_the_owner_of_another_model_of_the_team_is_not_from_outside_it(world: World, *, left: bool) -> None:
    request, lead = world.before_the_last_vote(), world.cast.approver
    other = make_version(by=world.cast.author, owner=lead, slug="other-model", seed=9, now=world.now).asset
    if left:
        hand_over(world, other, world.mate)
    with refused(NotAllowed, match="1 of 1 approvals", code="separation_of_duties"):
        last_vote(world, request)
    with refused(NotAllowed, match="no interest in this request"):
        waivers.grant(
            request=request, rule_id="business-gain-prod", valid_days=9, reason="It is fine.", by=lead, now=world.now
        )


@pytest.mark.parametrize("lifts", [False, True])
@pytest.mark.parametrize("joined", ["owner", "member"])
def test_who_has_an_interest_since_settles_no_condition(world: World, joined: str, *, lifts: bool) -> None:
    request, lead = world.before_the_last_vote(), world.cast.approver
    promise = review.NewCondition(text="Watch the error rate.", owner=world.cast.product, due_on=world.day(30))
    condition = Condition.objects.get(authorization__decision__request=last_vote(world, request, conditions=(promise,)))
    if joined == "owner":
        hand_over(world, request, lead)
    else:
        people.grant_role(user=lead, role=Role.REQUESTER, team=request.team, by=None, now=world.now)
    with refused(NotAllowed):
        if lifts:
            authorizations.lift_condition(condition=condition, reason="It is not needed.", by=lead, now=world.now)
        else:
            authorizations.confirm_condition(condition=condition, by=lead, now=world.now)


@pytest.mark.parametrize("left", [False, True])
def test_two_reviewers_of_the_team_do_not_suffice_even_after_leaving_it(world: World, *, left: bool) -> None:
    team, pair = world.cast, [make_person(name, Role.REVIEWER, now=world.now) for name in ("in.one", "in.two")]
    request = world.in_review()
    for person in pair:
        people.grant_role(user=person, role=Role.REQUESTER, team=request.team, by=None, now=world.now)
        if left:
            people.revoke_role(user=person, role=Role.REQUESTER, team=request.team, by=None, now=world.now)
    world.vote(request, pair[0])
    with refused(NotAllowed, match="must come from outside the team", code="separation_of_duties"):
        world.vote(request, pair[1])
    world.vote(request, team.reviewer_one)
    people.grant_role(user=team.approver, role=Role.REQUESTER, team=request.team, by=None, now=world.now)
    with refused(NotAllowed, match="1 of 1 approvals", code="separation_of_duties"):
        last_vote(world, request)


@pytest.mark.parametrize("loss", ["role", "account"])
def test_a_vote_counts_only_while_its_role_is_in_force(world: World, loss: str) -> None:
    request = world.before_the_last_vote()
    voter = request.votes.order_by("pk").first().person
    if loss == "role":
        people.revoke_role(user=voter, role=Role.REVIEWER, by=None, now=world.now)
    else:
        people.close_account(user=voter, by=None, now=world.now)
    with refused(WrongState, match="opens when “Technical review” is complete", code="stage_not_open"):
        last_vote(world, request)
    spare = make_person("spare.one", Role.REVIEWER, now=world.now)
    world.vote(request, spare)
    assert last_vote(world, request).state == "decided"
    signed = verify(Authorization.objects.get().envelope, public_key_pem=public_key())
    assert voter.username not in signed["predicate"]["approvers"]


@pytest.mark.parametrize("who", ["member", "owner"])
def test_a_lead_with_an_interest_waives_nothing(world: World, who: str) -> None:
    request, lead = world.in_review(), world.cast.approver
    if who == "member":
        people.grant_role(user=lead, role=Role.REQUESTER, team=request.team, by=None, now=world.now)
    else:
        hand_over(world, request, lead)
    with refused(NotAllowed, match="no interest in this request"):
        waivers.grant(
            request=request, rule_id="business-gain-prod", valid_days=9, reason="It is fine.", by=lead, now=world.now
        )


def test_giving_the_model_away_does_not_give_the_stake_away(world: World) -> None:
    request = world.in_review()
    hand_over(world, request, world.mate)
    people.grant_role(user=world.owner, role=Role.REVIEWER, by=None, now=world.now)
    with refused(NotAllowed, match="You own this model", code="separation_of_duties"):
        world.vote(request, world.owner)
