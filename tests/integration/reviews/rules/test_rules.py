"""Who may do what to a review: every role, every party, as a yes or no and as a sentence."""

from collections.abc import Callable

import pytest

from governance.people.domain.roles import Person, Role
from reviews.authorizations import rules as authorizations_rules
from reviews.evidence import rules as evidence_rules
from reviews.requests import rules as packets_rules
from reviews.requests import rules as requests_rules
from reviews.requests.rules import Parties
from weighbridge.core.errors import NotAllowed

PARTIES = Parties(team="search", requester_id=1, owner_id=2)
CONDITION_OWNER_ID = 3


def person(number: int, *roles: Role, teams: tuple[str, ...] = (), is_active: bool = True) -> Person:
    return Person(number, f"p{number}", roles=frozenset(roles), teams=frozenset(teams), is_active=is_active)


PEOPLE = {
    "requester": person(1, Role.REQUESTER, teams=("search",)),
    "owner": person(2),
    "debtor": person(3, Role.REVIEWER),
    "mate": person(4, Role.REQUESTER, teams=("search",)),
    "outsider": person(5, Role.REQUESTER, teams=("ads",)),
    "reviewer": person(6, Role.REVIEWER),
    "lead": person(7, Role.PLATFORM_LEAD),
    "finance": person(8, Role.FINANCE),
    "inside reviewer": person(13, Role.REVIEWER, teams=("search",)),
    "admin": person(9, Role.ADMIN),
    "auditor": person(10, Role.AUDITOR),
    "nobody": person(11),
    "inside lead": person(12, Role.REQUESTER, Role.PLATFORM_LEAD, teams=("search",)),
    "requester who leads": person(1, Role.REQUESTER, Role.PLATFORM_LEAD, Role.REVIEWER, Role.ADMIN, teams=("search",)),
    "owner who leads": person(2, Role.PLATFORM_LEAD, Role.REVIEWER, Role.ADMIN),
    "gone": person(1, *Role, teams=("search",), is_active=False),
}
CHECKS: dict[str, tuple[Callable[[Person], None], Callable[[Person], bool] | None]] = {
    "edit": (lambda p: requests_rules.check_edit(p, PARTIES), lambda p: requests_rules.may_edit(p, PARTIES)),
    "withdraw": (lambda p: requests_rules.check_withdraw(p, PARTIES), None),
    "print": (lambda p: packets_rules.check_print(p, PARTIES), None),
    "revoke": (authorizations_rules.check_revoke, None),
    "waive": (evidence_rules.check_waive, None),
    "extend": (requests_rules.check_extend, None),
    "confirm": (
        lambda p: authorizations_rules.check_confirm_condition(
            p, PARTIES, owner_id=CONDITION_OWNER_ID, own_teams=lambda each: each.teams
        ),
        lambda p: authorizations_rules.may_confirm_condition(
            p, PARTIES, owner_id=CONDITION_OWNER_ID, own_teams=lambda each: each.teams
        ),
    ),
}
ALLOWED = {
    "edit": {"requester", "owner", "mate", "inside lead", "requester who leads", "owner who leads"},
    "withdraw": {"requester", "owner", "admin", "requester who leads", "owner who leads"},
    "print": {"requester", "owner", "mate", "lead", "admin", "inside lead", "requester who leads", "owner who leads"},
    "revoke": {"lead", "inside lead", "requester who leads", "owner who leads"},
    "waive": {"lead", "inside lead", "requester who leads", "owner who leads"},  # their interests: test_voting
    "extend": {"lead", "inside lead", "requester who leads", "owner who leads"},  # their interests: test_grace
    "confirm": {"reviewer", "lead"},
}
SEES = set(PEOPLE) - {"outsider", "nobody"}


@pytest.mark.parametrize("what", CHECKS)
@pytest.mark.parametrize("who", PEOPLE)
def test_a_yes_and_a_no_and_its_reason(what: str, who: str) -> None:
    check, may = CHECKS[what]
    if may is not None:
        assert may(PEOPLE[who]) == (who in ALLOWED[what])
    if who in ALLOWED[what]:
        check(PEOPLE[who])
    else:
        with pytest.raises(NotAllowed) as refusal:
            check(PEOPLE[who])
        assert refusal.value.reason.endswith(".")


@pytest.mark.parametrize("who", PEOPLE)
def test_a_request_is_filed_by_requesters_of_the_team(who: str) -> None:
    if who in {"requester", "mate", "inside lead", "requester who leads"}:
        requests_rules.check_file(PEOPLE[who], team="search")
    else:
        with pytest.raises(NotAllowed):
            requests_rules.check_file(PEOPLE[who], team="search")


@pytest.mark.parametrize("who", PEOPLE)
def test_who_sees_a_request(who: str) -> None:
    assert requests_rules.may_see(PEOPLE[who], PARTIES) == (who in SEES)


def test_only_the_person_who_set_a_condition_lifts_it_and_only_while_in_a_role_that_decides() -> None:
    check = authorizations_rules.check_lift_condition
    for role in (Role.REVIEWER, Role.PLATFORM_LEAD, Role.PRODUCT_LEAD, Role.FINANCE):
        check(person(6, role), set_by_id=6)
    for who in (person(7, Role.REVIEWER), person(6, Role.REVIEWER, is_active=False)):
        with pytest.raises(NotAllowed, match="Only the person who set a condition"):
            check(who, set_by_id=6)
    for role in set(Role) - {Role.REVIEWER, Role.PLATFORM_LEAD, Role.PRODUCT_LEAD, Role.FINANCE}:
        with pytest.raises(NotAllowed, match="no longer have a role"):
            check(person(6, role), set_by_id=6)


def test_a_vote_anywhere_takes_a_role_that_a_stage_may_ask_for() -> None:
    for who in ("reviewer", "lead", "finance", "admin"):
        requests_rules.check_vote_anywhere(PEOPLE[who])
    for who in ("requester", "auditor", "nobody", "gone"):
        with pytest.raises(NotAllowed, match="role that a stage of the review asks for"):
            requests_rules.check_vote_anywhere(PEOPLE[who])


def test_the_reason_names_who_could() -> None:
    for what, words in (
        ("withdraw", "requester, the model's owner or an administrator"),
        ("revoke", "Only a platform lead"),
        ("waive", "Only a platform lead"),
        ("confirm", "Only a reviewer or a platform lead"),
    ):
        with pytest.raises(NotAllowed, match=words):
            CHECKS[what][0](PEOPLE["nobody"])
    with pytest.raises(NotAllowed, match="account is not active; ask an administrator"):
        requests_rules.check_edit(PEOPLE["gone"], PARTIES)
