"""Reads of allocation rules and of the bill lines that match them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import reduce
from operator import and_, or_
from typing import Any

from django.db.models import Case, Count, F, Func, IntegerField, Q, QuerySet, Subquery, Sum, TextField, Value, When
from django.db.models.functions import Coalesce

from governance.bills.domain.allocation.drafts import RuleChange, rule_changes
from governance.bills.domain.allocation.rules import ANY, TAG, FieldPattern, Rule, RuleSet, read_rules
from governance.bills.models import AllocationVersion, BillSlice, MonthSum, SpendLine
from governance.budgets.domain.quarters import next_month
from governance.inventory.models import ModelAsset
from governance.people.approvals.enums import Changed, ChangeState
from governance.people.approvals.models import Change
from governance.people.models import Team
from governance.rulebook.enums import DocumentState
from weighbridge.core.errors import Invalid, NotFound, WrongState
from weighbridge.core.parsing.yaml_text import parse_yaml

Lines = QuerySet[SpendLine]
REST_KINDS_MAX, NAMES_MAX = 20, 12
SOURCE_CHARS_MAX = 200_000
NOBODY = -1
BASE, NO_VERSION = "base", 0
"""The detail of a change with the number of the version to which its version adds a rule; 0 if there was none."""


@dataclass(frozen=True)
class RuleTotals:
    """The lines that match a rule, or no rule: their number, effective cost by currency, and GPU hours."""

    rule: str
    account: str
    model: str
    lines: int
    costs: Mapping[str, Decimal]
    gpu_hours: Decimal


@dataclass(frozen=True)
class UnclaimedLines:
    """Lines that match no rule, of one provider, sub-account and service, in one currency."""

    provider: str
    subaccount: str
    service: str
    currency: str
    lines: int
    cost: Decimal


@dataclass(frozen=True)
class Preview:
    """The effect of rules on the bills of a month: totals of each rule, unallocated totals, and the most expensive
    unallocated lines.
    """

    month: date
    rules: tuple[RuleTotals, ...]
    unallocated: RuleTotals
    most_expensive: tuple[UnclaimedLines, ...]


def current() -> Lines:
    """The lines of current slices."""
    return SpendLine.objects.filter(slice__is_current=True)


def used_in(*, start: date, end: date = date.max) -> Lines:
    """The current lines of the days from `start` to `end`, both included.

    Lines are stored by the month of their bill. Only the months of bills that have lines of these days are read: one
    statement finds them and reads them, so that a bill that is stored meanwhile counts as a whole or not at all.
    """
    sums = MonthSum.objects.filter(month__gte=start.replace(day=1), month__lte=end)
    periods = sums.order_by("slice__period").values("slice__period")
    return current().filter(
        day__gte=start,
        day__lte=end,
        slice__in=sums.values("slice"),
        period__gte=Subquery(periods[:1]),
        period__lte=Subquery(periods.reverse()[:1]),
    )


def taken_by(rules: Sequence[Rule], *, among: Lines) -> tuple[Lines, list[Q]]:
    """The lines with a column for each tag of the rules, and the condition of each rule."""
    tags = sorted({each.field for rule in rules for each in rule.conditions if each.field.startswith(TAG)})
    names = {field: f"tag_{number}" for number, field in enumerate(tags)}
    tests = [
        reduce(and_, (_holds(names.get(each.field, each.field), each) for each in rule.conditions)) for rule in rules
    ]
    return among.alias(**{name: column_of(field) for field, name in names.items()}), tests


def would_take(rule: Rule, *, among: Lines) -> RuleTotals:
    """The lines that a rule takes once it is in force."""
    lines, (test,) = taken_by([rule], among=among)
    sums = lines.filter(test).order_by("currency").values("currency")
    rows = sums.annotate(lines=Count("pk"), cost=Sum("effective"), hours=Sum("gpu_hours"))
    return _taken(list(rows), rule.id, rule.account, rule.model)


def published() -> AllocationVersion | None:
    """The version in force, or None."""
    return AllocationVersion.objects.filter(state=DocumentState.PUBLISHED).order_by("name").first()


def proposed() -> AllocationVersion | None:
    """The version that a new rule is added to: the latest that waits for confirmation, or else the one in force.

    A version that adds to one that was refused can never be confirmed, so nothing is added to it.
    """
    latest = published()
    changes = Change.objects.filter(kind=Changed.ALLOCATION, state=ChangeState.PENDING)
    details = dict(changes.values_list("subject_id", "details"))
    usable = {_number_of(latest)}
    later = AllocationVersion.objects.filter(state=DocumentState.DRAFT, pk__in=details, number__gt=_number_of(latest))
    for version in later.order_by("number"):
        if details[version.pk].get(BASE) in {None, *usable}:
            usable.add(version.number)
            latest = version
    return latest


def check_base(base: int | None) -> None:
    """Raise WrongState unless `base`, the number of the version to which a draft adds its rule, is in force.

    A draft without one (None) stands for itself.
    """
    if base is not None and base != _number_of(published()):
        version = AllocationVersion.objects.filter(number=base).first()
        waiting = Change.objects.filter(kind=Changed.ALLOCATION, state=ChangeState.PENDING)
        change = waiting.filter(subject_id=version.pk).first() if version else None
        if change is not None:
            raise WrongState(f"It adds to version {base}, which {change} proposes. Decide on that first.", code="base")
        what = f"version {base}" if version else "no other rules"
        raise WrongState(f"It adds to {what}, but that is not in force. Propose the rule again.", code="base")


def check_latest(version: AllocationVersion) -> None:
    """Raise WrongState if a later version is in force, whose rules this one would take back without a word."""
    in_force = published()
    if in_force is not None and in_force.number > version.number:
        later = f"Version {in_force.number}, which was written later, is in force."
        raise WrongState(f"{later} Draft its rules again with your changes, as a new version.", code="superseded")


def changes(*, version: AllocationVersion, base: int | None) -> tuple[RuleChange, ...] | None:
    """The rules in which a version differs from the one with the number `base`; without a number, a draft from the one
    in force. None for a version that is no draft and has no base.
    """
    if base is None and version.state != DocumentState.DRAFT:
        return None
    before = published() if base is None else AllocationVersion.objects.filter(number=base).first()
    return rule_changes(parse(before.source).rules if before else (), parse(version.source).rules)


def parse(source: str) -> RuleSet:
    """Parse rules in YAML. Raises Invalid if they are invalid or overlap."""
    if len(source) > SOURCE_CHARS_MAX:
        raise Invalid(f"The document is longer than {SOURCE_CHARS_MAX:,} characters.", field="source")
    return read_rules(parse_yaml(source, field="source"))


def targets(rules: RuleSet) -> list[tuple[Rule, Team, ModelAsset | None]]:
    """Each rule with its team and its model. Raises Invalid if one does not exist."""
    teams = Team.objects.in_bulk({rule.account for rule in rules.rules}, field_name="slug")
    named = ModelAsset.objects.filter(slug__in={rule.model.rpartition("/")[2] for rule in rules.rules})
    assets = {f"{row.team.slug}/{row.slug}": row for row in named.select_related("team")}
    for number, rule in enumerate(rules.rules):
        if rule.account not in teams:
            field, known = f"rules[{number}].account", _some(Team.objects.order_by("slug"), "slug")
            raise Invalid(f"{field} is not a team: {rule.account!r}. Teams: {known}.", field=field)
        if rule.model and rule.model not in assets:
            known = _some(ModelAsset.objects.order_by("team__slug", "slug"), "team__slug", "slug")
            field = f"rules[{number}].model"
            raise Invalid(f"{field} is not a model: {rule.model!r}. Models: {known}.", field=field)
    return [(rule, teams[rule.account], assets.get(rule.model)) for rule in rules.rules]


def versions() -> list[AllocationVersion]:
    """Every version, the newest first."""
    return list(AllocationVersion.objects.select_related("written_by", "published_by").order_by("-pk"))


def find(*, number: int) -> AllocationVersion:
    """A version by its number, or NotFound."""
    version = AllocationVersion.objects.select_related("written_by", "published_by").filter(number=number).first()
    if version is None:
        raise NotFound(f"There is no version {number} of the allocation rules.")
    return version


def months() -> list[date]:
    """The first days of the months with bills, latest first."""
    periods = BillSlice.objects.filter(is_current=True).values_list("period", flat=True).distinct()
    return sorted({period.replace(day=1) for period in periods}, reverse=True)


def preview(*, rules: RuleSet, month: date) -> Preview:
    """The effect of the rules on the lines of a month."""
    lines, tests = taken_by(rules.rules, among=current().filter(period__gte=month, period__lt=next_month(month)))
    cases = [When(test, then=Value(number)) for number, test in enumerate(tests)]
    marked_lines = lines.annotate(taker=Case(*cases, default=Value(NOBODY), output_field=IntegerField()))
    counted = {"lines": Count("pk"), "cost": Sum("effective")}
    sums = marked_lines.values("taker", "currency").annotate(**counted, hours=Sum("gpu_hours"))
    by_taker: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in sums.order_by("taker", "currency"):
        by_taker[row["taker"]].append(row)
    rule_totals = tuple(
        _taken(by_taker[number], rule.id, rule.account, rule.model) for number, rule in enumerate(rules.rules)
    )
    fields = ("provider", "subaccount", "service", "currency")
    unclaimed = marked_lines.filter(taker=NOBODY).values(*fields).annotate(**counted).order_by("-cost", *fields)
    most_expensive = tuple(UnclaimedLines(**row) for row in unclaimed[:REST_KINDS_MAX])
    return Preview(month, rule_totals, _taken(by_taker[NOBODY], "", "", ""), most_expensive)


def _number_of(version: AllocationVersion | None) -> int:
    return version.number if version else NO_VERSION


def _taken(rows: Sequence[Mapping[str, Any]], rule: str, account: str, model: str) -> RuleTotals:
    costs = {row["currency"]: row["cost"] for row in rows}
    hours = sum((row["hours"] for row in rows), Decimal(0))
    return RuleTotals(rule, account, model, sum(row["lines"] for row in rows), costs, hours)


def _some(rows: QuerySet[Any], *parts: str) -> str:
    listed = ["/".join(name) for name in rows.values_list(*parts)[: NAMES_MAX + 1]]
    return (", ".join(listed[:NAMES_MAX]) + (", …" if len(listed) > NAMES_MAX else "")) or "none yet"


def column_of(field: str) -> Coalesce | F:
    """A field of rules as a column; a tag is empty if the line does not have it."""
    if not field.startswith(TAG):
        return F(field)
    name = Value(field.removeprefix(TAG))
    tag_value = Func(F("tags"), name, function="jsonb_extract_path_text", output_field=TextField())
    return Coalesce(tag_value, Value(""), output_field=TextField())


def _holds(name: str, condition: FieldPattern) -> Q:
    if not condition.patterns:
        return Q(**{name: ""})
    exact = [pattern for pattern in condition.patterns if not pattern.endswith(ANY)]
    begins = [pattern.removesuffix(ANY) for pattern in condition.patterns if pattern.endswith(ANY)]
    tests = [Q(**{f"{name}__startswith": prefix}) if prefix else ~Q(**{name: ""}) for prefix in begins]
    return reduce(or_, [*tests, Q(**{f"{name}__in": exact})])
