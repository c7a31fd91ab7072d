"""Who may do what on the ground floor: every role against every rule, as a yes or no and as a reason."""

import inspect
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

import governance
from benchmarking.runs.actions import datasets, sandbox, workers  # noqa: F401 -- they register their kinds of change
from governance.absences import rules as absences_rules
from governance.absences.actions import deputies  # noqa: F401 -- it registers its kind of change
from governance.bills import rules as bills_rules
from governance.bills.actions import allocation  # noqa: F401 -- it registers its kind of change
from governance.budgets import rules as budgets_rules
from governance.budgets.actions import budget_changes  # noqa: F401 -- it registers its kind of change
from governance.budgets.models import BudgetAccount, CostCenter
from governance.findings import rules as findings_rules
from governance.inventory import rules as inventory_rules
from governance.notifications import rules as notifications_rules
from governance.people import rules as people_rules
from governance.people.actions import grants  # noqa: F401 -- it registers its kind of change
from governance.people.approvals import kinds
from governance.people.approvals.enums import Changed
from governance.people.approvals.kinds import KINDS, check_confirm, check_refuse
from governance.people.approvals.models import Change
from governance.people.domain.roles import Person, Role
from governance.rulebook import rules as rulebook_rules
from governance.rulebook.actions import publication  # noqa: F401 -- it registers its kinds of change
from governance.saved_views import rules as saved_views_rules
from weighbridge.core.errors import NotAllowed, WrongState

R, V, L, P, F, D, A, U = list(Role)
ME, SOMEBODY = 7, 8
NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
HOME, AWAY = "search", "ads"
Check = Callable[[Person], None]


def person(*roles: Role, is_active: bool = True, teams: tuple[str, ...] = ()) -> Person:
    home = (HOME,) if R in roles else ()
    return Person(ME, "ada", roles=frozenset(roles), teams=frozenset((*home, *teams)), is_active=is_active)


def about(kind: Changed, proposed_by_id: int, **fields: Any) -> Change:
    return Change(kind=kind, subject_id=1, proposed_by_id=proposed_by_id, proposed_at=NOW, **fields)


def confirms(who: Person, kind: Changed, proposed_by_id: int, **fields: Any) -> None:
    check_confirm(who, about(kind, proposed_by_id, **fields))


def refuses(who: Person, kind: Changed, proposed_by_id: int) -> None:
    check_refuse(who, about(kind, proposed_by_id))


# The rule, whom of the single roles it lets through, and what it says to the others.
TABLE: dict[str, tuple[Check, set[Role], str]] = {
    "check_write_rulebook": (
        rulebook_rules.check_write_rulebook,
        {L, A},
        "Only a platform lead or an administrator may write a policy.",
    ),
    "check_publish_rulebook": (
        lambda who: rulebook_rules.check_publish_rulebook(who, written_by_id=SOMEBODY),
        {A},
        "Only an administrator may publish a policy.",
    ),
    "check_publish_rulebook of the installation's": (
        lambda who: rulebook_rules.check_publish_rulebook(who, written_by_id=None),
        {A},
        "Only an administrator may publish a policy.",
    ),
    "check_publish_rulebook of one's own": (
        lambda who: rulebook_rules.check_publish_rulebook(who, written_by_id=ME),
        set(),
        "",
    ),
    "check_propose_publication": (
        rulebook_rules.check_propose_publication,
        {L, A},
        "Only a platform lead or an administrator may propose a policy for publication.",
    ),
    "check_confirm": (
        lambda who: confirms(who, Changed.ROLE, SOMEBODY, gains_id=9),
        {A},
        "Only an administrator may confirm a change.",
    ),
    "check_confirm of one's own": (
        lambda who: confirms(who, Changed.POLICY, ME),
        set(),
        "",
    ),
    "check_confirm to one's gain": (
        lambda who: confirms(who, Changed.ROLE, SOMEBODY, gains_id=ME),
        set(),
        "",
    ),
    "check_refuse": (
        lambda who: refuses(who, Changed.POLICY, SOMEBODY),
        {A},
        "Only an administrator may refuse a change.",
    ),
    "check_refuse of one's own": (lambda who: refuses(who, Changed.POLICY, ME), set(Role), ""),
    "check_read_changes": (people_rules.check_read_changes, {L, A, U}, "may read proposed changes."),
    "check_allocate_budget": (budgets_rules.check_allocate_budget, {F}, "Only finance may allocate a budget."),
    "check_propose_budget_change at home": (
        lambda who: budgets_rules.check_propose_budget_change(who, team=HOME),
        {R, L, F},
        "may change another team's budget.",
    ),
    "check_propose_budget_change": (
        lambda who: budgets_rules.check_propose_budget_change(who, team=AWAY),
        {L, F},
        "may change another team's budget.",
    ),
    "check_propose_some_budget_change": (
        budgets_rules.check_propose_some_budget_change,
        {R, L, F},
        "may propose a change of a budget.",
    ),
    "check_confirm on budgets": (
        lambda who: confirms(who, Changed.BUDGET, SOMEBODY, details={"teams": [AWAY], "target_id": None}),
        {L, F},
        "may confirm a change of a budget.",
    ),
    "check_confirm on budgets of one's own": (
        lambda who: confirms(who, Changed.BUDGET, ME, details={"teams": [AWAY], "target_id": None}),
        set(),
        "",
    ),
    "check_refuse on budgets": (
        lambda who: refuses(who, Changed.BUDGET, SOMEBODY),
        {L, F},
        "may refuse a change of a budget.",
    ),
    "check_refuse on budgets of one's own": (
        lambda who: refuses(who, Changed.BUDGET, ME),
        set(Role),
        "",
    ),
    "check_state_absence": (
        lambda who: absences_rules.check_state_absence(who, user_id=ME),
        set(Role) - {U},
        "you have no such role.",
    ),
    "check_state_absence of others": (
        lambda who: absences_rules.check_state_absence(who, user_id=SOMEBODY),
        {L},
        "Only a platform lead may state or end the absence of another person.",
    ),
    "check_propose_deputy": (
        absences_rules.check_propose_deputy,
        {L},
        "Only a platform lead may propose a deputy with the roles of another person.",
    ),
    "check_manage_webhooks": (
        notifications_rules.check_manage_webhooks,
        {L, A},
        "Only a platform lead or an administrator may manage webhooks.",
    ),
    "check_read_webhooks": (notifications_rules.check_read_webhooks, {L, A, U}, "may read webhooks."),
    "check_read_absences": (absences_rules.check_read_absences, {L, A, U}, "may read the absences of all people."),
    "check_announce at home": (
        lambda who: inventory_rules.check_announce(who, team=HOME),
        {R, L},
        "Only a requester may file for a team.",
    ),
    "check_announce": (lambda who: inventory_rules.check_announce(who, team=AWAY), {L}, ""),
    "check_outside_team": (lambda who: inventory_rules.check_outside_team(who, team=AWAY), set(Role), ""),
    "check_outside_team at home": (
        lambda who: inventory_rules.check_outside_team(who, team=HOME),
        set(Role) - {R},
        "which gains by this change",
    ),
    "check_read_findings": (findings_rules.check_read_findings, {L, F, A, U}, "may read findings."),
    "check_assign_finding": (findings_rules.check_assign_finding, {L, F, A}, "may assign a finding."),
    "check_close_finding": (
        lambda who: findings_rules.check_close_finding(who, owner_id=SOMEBODY),
        {L, F, A},
        "may close another person's finding.",
    ),
    "check_close_finding of one's own": (
        lambda who: findings_rules.check_close_finding(who, owner_id=ME),
        set(Role),
        "",
    ),
    "check_handle_bills": (
        bills_rules.check_handle_bills,
        {L, F, A},
        "Only finance or a platform lead or an administrator may handle bills.",
    ),
    "check_publish_allocation": (
        lambda who: bills_rules.check_publish_allocation(who, written_by_id=SOMEBODY),
        {L, F, A},
        "may handle bills.",
    ),
    "check_publish_allocation of one's own": (
        lambda who: bills_rules.check_publish_allocation(who, written_by_id=ME),
        set(),
        "",
    ),
    "check_see_bills": (bills_rules.check_see_bills, {L, F, A, U}, "or an auditor may see bills."),
    "check_see_budget at home": (
        lambda who: budgets_rules.check_see_budget(who, team=HOME),
        {R, L, F, A, U},
        "another team",
    ),
    "check_see_budget": (lambda who: budgets_rules.check_see_budget(who, team=AWAY), {L, F, A, U}, "another team"),
    "check_act_for_team": (lambda who: people_rules.check_act_for_team(who, team=HOME), {R}, "may file for a team."),
    "check_act_for_team of others": (lambda who: people_rules.check_act_for_team(who, team=AWAY), set(), ""),
    "check_act_for_any_team": (
        people_rules.check_act_for_any_team,
        {R},
        "Only a requester may register data and file requests.",
    ),
    "check_manage_people": (
        lambda who: people_rules.check_manage_people(who, user_id=SOMEBODY),
        {A},
        "Only an administrator may manage people.",
    ),
    "check_manage_people without a person": (
        people_rules.check_manage_people,
        {A},
        "Only an administrator may manage people.",
    ),
    "check_manage_people of oneself": (lambda who: people_rules.check_manage_people(who, user_id=ME), set(), ""),
    "check_create_token": (lambda who: people_rules.check_create_token(who, user_id=ME), set(Role), ""),
    "check_create_token of others": (
        lambda who: people_rules.check_create_token(who, user_id=SOMEBODY),
        set(),
        "create tokens only for yourself",
    ),
    "check_read_trail": (
        people_rules.check_read_trail,
        {A, U},
        "Only an administrator or an auditor may read the whole audit trail.",
    ),
    "check_open_list": (
        lambda who: saved_views_rules.check_open_list(who, list_name="governance:audit"),
        {A, U},
        "Only an administrator or an auditor may read the whole audit trail.",
    ),
    "check_share_view at home": (
        lambda who: saved_views_rules.check_share_view(who, team=HOME),
        {R, L, A},
        "You can share views with your own teams.",
    ),
    "check_share_view": (
        lambda who: saved_views_rules.check_share_view(who, team=AWAY),
        {L, A},
        "You can share views with your own teams.",
    ),
    "check_remove_view": (lambda who: saved_views_rules.check_remove_view(who, owner_id=ME), set(Role), ""),
    "check_remove_view of others": (
        lambda who: saved_views_rules.check_remove_view(who, owner_id=SOMEBODY),
        {A},
        "Only the person who saved this view, or an administrator, may remove it.",
    ),
    "check_operate": (
        people_rules.check_operate,
        {L, A},
        "Only a platform lead or an administrator may operate integrations.",
    ),
}


def checks() -> set[str]:
    """The names of all checks in the rules of every subject. Rules of a domain are of its documents, not of persons."""
    root = Path(governance.__file__).parent
    files = [path.relative_to(root.parent).with_suffix("") for path in root.glob("**/rules.py")]
    files = [file for file in files if "domain" not in file.parts]
    modules = [kinds, *(import_module(".".join(file.parts)) for file in files)]
    functions = [name for module in modules for name, _ in inspect.getmembers(module, inspect.isfunction)]
    return {name for name in functions if name.startswith("check_")}


def test_every_rule_stands_in_the_table() -> None:
    assert checks() == {name.split()[0] for name in TABLE}


@pytest.fixture
def account(db: None) -> BudgetAccount:
    """The account that the changes of the table are about."""
    center = CostCenter.objects.create(level="organization", slug="acme", name="Acme")
    return BudgetAccount.objects.create(pk=1, center=center, quarter="2026Q4", unit="USD")


@pytest.mark.usefixtures("account")
@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("name", list(TABLE))
def test_a_role_may_what_the_table_says(name: str, role: Role) -> None:
    check, allowed, reason = TABLE[name]
    who = person(role)
    assert people_rules.may(check)(who) == (role in allowed)
    if role not in allowed:
        with pytest.raises(NotAllowed) as refusal:
            check(who)
        assert reason in refusal.value.reason
        assert refusal.value.reason.endswith(".")


# Rules about who is impartial, not about who may act.
IMPARTIAL = {"check_outside_team", "check_outside_team at home"}
# What anybody may do with what is their own.
FREE = {
    *IMPARTIAL,
    "check_create_token",
    "check_refuse of one's own",
    "check_refuse on budgets of one's own",
    "check_close_finding of one's own",
    "check_remove_view",
}


@pytest.mark.parametrize("name", list(TABLE))
def test_nobody_without_a_role_may_anything_but_make_a_token(name: str) -> None:
    check, _, _ = TABLE[name]
    assert people_rules.may(check)(person()) == (name in FREE)


@pytest.mark.parametrize("name", [name for name in TABLE if name not in IMPARTIAL])
def test_an_inactive_person_may_nothing_whatever_they_were(name: str) -> None:
    check, _, _ = TABLE[name]
    with pytest.raises(NotAllowed):
        check(person(*Role, is_active=False))


@pytest.mark.parametrize(
    ("check", "answer"),
    [
        (rulebook_rules.check_write_rulebook, rulebook_rules.may_write_rulebook),
        (budgets_rules.check_allocate_budget, budgets_rules.may_allocate_budget),
        (people_rules.check_operate, people_rules.may_operate),
        (bills_rules.check_handle_bills, bills_rules.may_handle_bills),
        (bills_rules.check_see_bills, bills_rules.may_see_bills),
        (people_rules.check_read_trail, people_rules.may_read_trail),
        (people_rules.check_manage_people, people_rules.may_manage_people),
        (people_rules.check_read_changes, people_rules.may_read_changes),
        (
            lambda who: budgets_rules.check_see_budget(who, team=AWAY),
            lambda who: budgets_rules.may_see_budget(who, team=AWAY),
        ),
    ],
)
def test_may_answers_what_check_raises(check: Check, answer: Callable[[Person], bool]) -> None:
    for role in Role:
        assert answer(person(role)) == people_rules.may(check)(person(role))
    assert {answer(person(role)) for role in Role} == {True, False}


def test_the_words_of_the_refusals_that_depend_on_whose_it_is() -> None:
    with pytest.raises(NotAllowed, match="Authors cannot publish their own policies"):
        rulebook_rules.check_publish_rulebook(person(A), written_by_id=ME)
    with pytest.raises(NotAllowed, match="You proposed this change; another administrator must confirm it"):
        confirms(person(A), Changed.ROLE, ME, gains_id=ME)
    with pytest.raises(NotAllowed, match="You wrote the version that this change publishes, or you gain a role by it"):
        confirms(person(A), Changed.ROLE, SOMEBODY, gains_id=ME)
    with pytest.raises(
        NotAllowed, match=r"You are not a requester of the team 'ads'\. Ask an administrator to add you"
    ):
        people_rules.check_act_for_team(person(R), team=AWAY)
    with pytest.raises(NotAllowed, match=r"You cannot grant or revoke your own roles\. Ask another administrator"):
        people_rules.check_manage_people(person(A), user_id=ME)
    with pytest.raises(NotAllowed, match=r"Your account is not active\. Ask an administrator"):
        people_rules.check_operate(person(A, is_active=False))


def test_may_hides_no_other_refusal() -> None:
    def broken() -> None:
        raise WrongState("Not now.")

    with pytest.raises(WrongState):
        people_rules.may(broken)()


@pytest.mark.parametrize(
    ("role", "sees"), [(R, False), (V, True), (L, True), (P, True), (F, True), (A, True), (U, True)]
)
def test_who_reads_every_teams_work(role: Role, sees: bool) -> None:
    assert people_rules.sees_everything(person(role)) is sees
    assert people_rules.sees_everything(person(role, is_active=False)) is False


def test_every_kind_of_change_is_registered() -> None:
    assert set(KINDS) == set(Changed)
