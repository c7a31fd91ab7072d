"""Writes of the cost center tree: open a cost center, move it, and set the terms of its accounts."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Q

from governance.audit.actions import record as audit
from governance.budgets.actions import budget_changes
from governance.budgets.actions.wishes import Terms
from governance.budgets.domain import cost_centers as tree
from governance.budgets.domain.cost_centers import CenterLevel
from governance.budgets.domain.ledger import BudgetMode
from governance.budgets.domain.second_person import MoneyStep, reasons_for_second_person, sentence_of
from governance.budgets.domain.terms import check_tolerance
from governance.budgets.models import BudgetAccount, CostCenter
from governance.budgets.queries import cost_centers as read
from governance.budgets.queries.budgets import balance_of, lock_accounts
from governance.budgets.rules import check_allocate_budget
from governance.people.actions.people import SLUG
from governance.people.approvals.models import Change
from governance.people.domain.reasons import check_reason
from governance.people.models import Team
from governance.people.queries.membership import team_slugs_of
from governance.people.queries.people import person_of
from weighbridge.core.errors import Invalid, NotAllowed, WrongState
from weighbridge.core.money import format_amount

TREE_LOCK = 0x74726565  # an arbitrary number, unique among advisory locks
NAME_CHARS_MAX = 120
ROOT_NAMES = ("organization", "the-organization", "root-of-budgets")


def open_center(
    *, level: CenterLevel, slug: str, name: str, parent: CostCenter | None, by: User, now: datetime
) -> CostCenter:
    """Open a unit under the organization, or a project under a team. A team's center opens with its first budget."""
    check_allocate_budget(person_of(by))
    _check_slug_and_name(slug, name)
    if level is CenterLevel.TEAM:
        reason = "The cost center of a team is created with its first budget. Allocate a budget instead."
        raise Invalid(reason, field="level")
    with transaction.atomic():
        _lock_tree()
        if level is CenterLevel.ORGANIZATION:
            return _root(by, now, slug=slug, name=name)
        above = parent or _root(by, now)
        tree.check_parent(level=level, parent=CenterLevel(above.level))
        if CostCenter.objects.filter(slug=slug).exists() or Team.objects.filter(slug=slug).exists():
            raise Invalid(f"A team or cost center {slug!r} already exists. Choose another slug.", field="slug")
        return _create(level, slug, name, above, above.team, by, now)


def open_for_team(*, team: Team, by: User | None, now: datetime) -> CostCenter:
    """The center of a team. If it does not exist, it is opened under the organization."""
    with transaction.atomic():
        center = read.of_team(team)
        if center is not None:
            return center
        _lock_tree()
        return read.of_team(team) or _create(CenterLevel.TEAM, team.slug, team.name, _root(by, now), team, by, now)


def move_center(*, center: CostCenter, parent: CostCenter, by: User, now: datetime) -> CostCenter:
    """Move a team under another unit. Raises WrongState if the unit's budgets do not cover the team's allocations.

    Nobody moves their own team, because other limits would apply to it.
    """
    check_allocate_budget(person_of(by))
    _check_not_own(center, by, now)
    tree.check_parent(level=CenterLevel(center.level), parent=CenterLevel(parent.level))
    if center.level == CenterLevel.PROJECT:
        raise Invalid("A project cannot be moved to another team.", field="parent")
    with transaction.atomic():
        lock_accounts(Q(closed_at=None))
        _lock_tree()
        before = center.parent
        center.parent = parent
        center.save(update_fields=["parent"])
        _check_above(center)
        details = {"before": str(before), "after": str(parent)}
        audit.record(kind="cost_center.placed", by=by, subject=("cost_center", center.slug), details=details, now=now)
    return center


def set_terms(
    *, account: BudgetAccount, mode: BudgetMode, tolerance_percent: int, reason: str = "", by: User, now: datetime
) -> BudgetAccount | Change:
    """Set the mode of an account (what happens to amounts above the budget) and its tolerance in percent.

    Looser terms take a second person: they are proposed, for the reason.
    """
    check_allocate_budget(person_of(by))
    check_tolerance(tolerance_percent)
    with transaction.atomic():
        (row,) = lock_accounts(Q(pk=account.pk))
        wish = Terms(account=row, mode=mode, tolerance_percent=tolerance_percent)
        step = MoneyStep(own_teams=frozenset(), raised_teams=frozenset(), loosens=wish.after.loosens(wish.before))
        reasons = reasons_for_second_person(step)
        if reasons:
            check_reason(reason, why=sentence_of(reasons))
            return budget_changes.propose(wish=wish, reason=reason, by=by, now=now)
        wish.book(by=by, now=now)
    return row


def _check_not_own(center: CostCenter, by: User, now: datetime) -> None:
    own_teams = team_slugs_of(person_of(by), now=now)
    reasons = reasons_for_second_person(MoneyStep(own_teams=own_teams, raised_teams=read.teams_covered(center)))
    if reasons:
        refused = "Another member of finance must move this cost center, because other limits would apply and"
        raise NotAllowed(f"{refused} {reasons[0]}.", code="own_team")


def _lock_tree() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [TREE_LOCK])


def _check_slug_and_name(slug: str, name: str) -> None:
    if not SLUG.fullmatch(slug):
        raise Invalid("A slug may contain only letters, digits, hyphens and underscores.", field="slug")
    if not name.strip() or len(name) > NAME_CHARS_MAX:
        raise Invalid(f"The name must have 1 to {NAME_CHARS_MAX} characters.", field="name")


def _root(by: User | None, now: datetime, *, slug: str = "", name: str = "Organization") -> CostCenter:
    existing_root = read.root()
    if existing_root is not None:
        if slug:
            raise WrongState(f"The organization already exists as {existing_root.name}.", code="one_root")
        return existing_root
    reserved_names = set(Team.objects.filter(slug__in=ROOT_NAMES).values_list("slug", flat=True))
    free = slug or next(each for each in ROOT_NAMES if each not in reserved_names)
    return _create(CenterLevel.ORGANIZATION, free, name, None, None, by, now)


def _create(
    level: CenterLevel,
    slug: str,
    name: str,
    parent: CostCenter | None,
    team: Team | None,
    by: User | None,
    now: datetime,
) -> CostCenter:
    center = CostCenter.objects.create(level=level.value, slug=slug, name=name, parent=parent, team=team)
    details = {"level": level.value, "name": name, "parent": parent.slug if parent else ""}
    audit.record(kind="cost_center.opened", by=by, subject=("cost_center", slug), details=details, now=now)
    return center


def _check_above(center: CostCenter) -> None:
    for account in BudgetAccount.objects.filter(center=center, closed_at=None).order_by("pk"):
        above = read.account_above(account)
        if above is not None and (balance := balance_of(above)).allocated < balance.allocated_below:
            raise WrongState(
                f"{above} holds {format_amount(balance.allocated, unit=above.unit)}, and with {center} it would "
                f"allocate {format_amount(balance.allocated_below, unit=above.unit)} to the accounts below it. "
                "Allocate more to it first.",
                code="over_parent",
                field="parent",
            )
