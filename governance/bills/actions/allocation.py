"""Writes of allocation rules: draft, publish by a second person, and apply to bill lines."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import BigIntegerField, Case, Max, Q, Value, When

from governance.audit.actions import record as audit
from governance.bills.domain.allocation.drafts import EMPTY, with_rule
from governance.bills.domain.allocation.rules import Rule
from governance.bills.models import AllocationRule, AllocationVersion, BillSlice, SpendLine
from governance.bills.queries.allocation import (
    BASE,
    NO_VERSION,
    check_base,
    check_latest,
    parse,
    published,
    taken_by,
    targets,
)
from governance.bills.queries.month_postings import lock_team_accounts
from governance.bills.rules import check_handle_bills, check_publish_allocation, may_see_bills
from governance.budgets.domain.second_person import check_independent
from governance.jobs import outbox
from governance.people.approvals.enums import Changed
from governance.people.approvals.kinds import NONE, ChangeKind, register
from governance.people.approvals.models import Change
from governance.people.domain.roles import Person, Role
from governance.people.queries.membership import team_slugs_of
from governance.people.queries.people import person_of
from governance.rulebook.actions.publication import propose_publication
from governance.rulebook.enums import DocumentState
from governance.rulebook.queries.rulebook import check_draft
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import WrongState
from weighbridge.core.parsing.yaml_text import parse_yaml

NAME = "default"
ASSIGN = "bills.assign"


def draft(*, source: str, by: User | None, now: datetime) -> AllocationVersion:
    """Store rules as the next draft. The rules must be valid, and their teams and models must exist."""
    if by is not None:
        check_handle_bills(person_of(by))
    rules = parse(source)
    targets(rules)
    with transaction.atomic():
        last = AllocationVersion.objects.filter(name=NAME).aggregate(last=Max("number"))["last"] or 0
        version = AllocationVersion(name=NAME, number=last + 1, source=source, written_by=by, written_at=now)
        version.digest = digest_of(parse_yaml(source))
        try:
            with transaction.atomic():
                version.save()
        except IntegrityError as error:
            reason = f"Another person has just saved version {last + 1}. Check it, then save yours again."
            raise WrongState(reason) from error
        _record("drafted", version, by, now, {"digest": version.digest})
    return version


def propose_rule(*, rule: Rule, base: AllocationVersion | None, reason: str, by: User, now: datetime) -> Change:
    """Draft the rules of `base` with one more rule, and propose them for publication by a second person.

    They can be confirmed only while `base` is in force, so that only the new rule is decided on.
    """
    source = with_rule(base.source if base else EMPTY, rule)
    with transaction.atomic():
        version = draft(source=source, by=by, now=now)
        more = {BASE: base.number if base else NO_VERSION}
        return propose_publication(version=version, reason=reason, by=by, now=now, more=more)


def publish(
    *, version: AllocationVersion, by: User | None, now: datetime, base: int | None = None
) -> AllocationVersion:
    """Publish a draft and retire the previous version. A worker then reassigns all lines.

    With `base`, the number of the version that the draft adds to, raises WrongState unless that one is in force.
    """
    if by is not None:
        check_publish_allocation(person_of(by), written_by_id=version.written_by_id)
    with transaction.atomic():
        siblings = {row.pk: row for row in AllocationVersion.objects.select_for_update().order_by("pk")}
        row = siblings[version.pk]
        if row.state != DocumentState.DRAFT:
            raise WrongState(f"Version {row.number} is {row.state}; only a draft can be published.")
        check_latest(row)
        check_base(base)
        for other in siblings.values():
            if other.state == DocumentState.PUBLISHED:
                other.state = DocumentState.RETIRED
                other.save(update_fields=["state"])
        AllocationRule.objects.bulk_create(
            AllocationRule(version=row, rule_id=rule.id, team=team, asset=asset, request_ref=rule.request)
            for rule, team, asset in targets(parse(row.source))
        )
        row.state, row.published_by, row.published_at = DocumentState.PUBLISHED, by, now
        row.save(update_fields=["state", "published_by", "published_at"])
        payload = {"cause": f"rules:{row.pk}"}
        outbox.enqueue(kind=ASSIGN, key=f"{ASSIGN}:{row.pk}", lane="bills", payload=payload, now=now)
        _record("published", row, by, now, {"digest": row.digest})
    return row


def assign(*, slices: Sequence[BillSlice], months: Iterable[date] = (), by: User | None = None, now: datetime) -> int:
    """Apply the published rules to the lines of these slices. Returns the number of allocated lines.

    The accounts of `months` are locked for a caller that then posts these months, in the same transaction: after the
    lines are written, which takes long, and before the head of the audit trail is held.
    """
    version = published()
    if version is None:
        return 0
    rows = {row.rule_id: row.pk for row in version.rules.all()}
    rules = parse(version.source).rules
    periods = {each.period for each in slices}
    with transaction.atomic():
        among = SpendLine.objects.filter(slice__in=slices, period__in=periods)
        lines, tests = taken_by(rules, among=among)
        cases = [When(test, then=Value(rows[rule.id])) for rule, test in zip(rules, tests, strict=True)]
        lines.update(rule=Case(*cases, default=Value(None), output_field=BigIntegerField()) if cases else None)
        allocated_count = among.filter(rule__isnull=False).count()
        lock_team_accounts(months=months)
        details = {"slices": [str(each) for each in slices][:100], "lines": allocated_count}
        _record("assigned", version, by, now, details)
    return allocated_count


def _record(word: str, version: AllocationVersion, by: User | None, now: datetime, details: dict[str, Any]) -> None:
    audit.record(kind=f"allocation.{word}", by=by, subject=("allocation", str(version)), details=details, now=now)


def _version_of(change: Change) -> AllocationVersion:
    return AllocationVersion.objects.get(pk=change.subject_id)


def _check_publishable(version: AllocationVersion) -> None:
    check_draft(version)
    check_latest(version)


def _check_impartial(person: Person, change: Change) -> None:
    """The second person does not belong to a team whose rules change, because the rules decide what it is billed."""
    version, current = _version_of(change), published()
    before = set(parse(current.source).rules) if current else set()
    teams = {rule.account for rule in before ^ set(parse(version.source).rules)}
    check_independent(own_teams=team_slugs_of(person, now=change.proposed_at), teams=teams)


register(
    ChangeKind(
        name=Changed.ALLOCATION,
        may_propose=lambda person, _: check_handle_bills(person),
        noun="allocation rules",
        another="another person who handles bills",
        check=lambda change: _check_publishable(_version_of(change)),
        check_impartial=_check_impartial,
        apply=lambda change, by, now: publish(
            version=_version_of(change), by=by, now=now, base=change.details.get(BASE)
        ),
        visible=lambda person: Q() if may_see_bills(person) else NONE,
        confirmers=(Role.FINANCE, Role.PLATFORM_LEAD, Role.ADMIN),
        done="confirmed and in force. A worker reassigns the existing lines.",
        why_none="Everyone who handles bills wrote or proposed it, or belongs to a team whose rules change. An "
        "administrator can propose the role for another person.",
    )
)
