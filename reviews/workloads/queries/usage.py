"""Reads of usage: what each authorized model used in a month, against its limits, and what nobody authorized."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum

from governance.budgets.domain.quarters import next_month
from governance.inventory.domain.aliases import managed_models
from governance.people.domain.roles import Person
from governance.people.rules import sees_everything
from reviews.authorizations.domain.authorization_states import IN_FORCE
from reviews.authorizations.models import Authorization
from reviews.workloads.domain.limits import LimitShare, UsageTotals, digest_named, shares_of
from reviews.workloads.models import UsageGateway, UsageRecord
from weighbridge.client.integrations.litellm.entries import accepted_models
from weighbridge.subjects.managed import MANAGED

COUNTS = ("requests", "input_tokens", "cached_tokens", "output_tokens")
Used = dict[tuple[str, str], UsageTotals]


@dataclass(frozen=True, kw_only=True)
class AuthorizedUsage:
    """The usage of an authorized model in a month, and its share of each limit."""

    authorization: Authorization
    usage: UsageTotals
    shares: tuple[LimitShare, ...]


@dataclass(frozen=True, kw_only=True)
class UsageView:
    """The usage of one model in a month. `authorization` and `request` are "" if no authorization is about it.

    `percent` is the largest share of a limit; None without a limit.
    """

    name: str
    environment: str
    team: str
    authorization: str
    request: str
    requests: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    usd: Decimal | None
    tokens_per_month: int | None
    usd_per_month: Decimal | None
    percent: Decimal | None
    is_denied: bool


@dataclass(frozen=True)
class StoredUsage:
    """A stored report: its gateway, its days, and how many of its models no authorization is about."""

    gateway: str
    environment: str
    days: int
    lines: int
    unmatched: int


def month_of(day: date) -> date:
    """The first day of the month."""
    return day.replace(day=1)


def used_in(month: date) -> tuple[list[tuple[Authorization, UsageTotals]], Used]:
    """The authorizations with the usage of the month that is theirs, and the usage that is nobody's.

    The latest authorization of a digest and environment has the usage, in force or ended. The key of the other usage is
    the name or digest, and the environment. In two queries.
    """
    reported = _sums(month)
    latest = _latest_authorizations({digest for _, digest, _, _ in reported if digest})
    sums: Used = {}
    for environment, digest, model, usage in reported:
        rows = {key[0]: row for key, row in latest.items() if key[1] == environment}
        found = digest if digest in rows else _digest_of(model, rows)
        key = (found or digest or model, environment)
        sums[key] = _plus(sums[key], usage) if key in sums else usage
    own = [(row, sums.pop(key)) for key, row in latest.items() if key in sums]
    return own, sums


def authorized_usage(month: date) -> list[AuthorizedUsage]:
    """The usage of every authorization that was used in the month, with its shares of the limits."""
    return [
        AuthorizedUsage(
            authorization=row,
            usage=usage,
            shares=shares_of(usage, tokens=row.tokens_per_month, usd=row.usd_per_month),
        )
        for row, usage in used_in(month)[0]
    ]


def views(*, month: date, person: Person) -> list[UsageView]:
    """The usage of the month that the person may see: that of their teams, or all; the largest share first."""
    own, others = used_in(month)
    sees_all = sees_everything(person)
    rows = [_view(row, usage) for row, usage in own if sees_all or row.decision.request.team.slug in person.teams]
    if sees_all:
        rows += [_unmatched(name, environment, usage) for (name, environment), usage in others.items()]
    return sorted(rows, key=lambda row: (-(row.percent or 0), bool(row.authorization), row.name, row.environment))


def stored(gateway: UsageGateway, *, days: Sequence[date]) -> StoredUsage:
    """The gateway with what it reported for these days."""
    rows = gateway.records.filter(day__in=days)
    nobodys = {key for day in {month_of(day) for day in days} for key in used_in(day)[1]}
    called = {(row[0] or row[1], gateway.environment) for row in rows.values_list("digest", "model")}
    return StoredUsage(gateway.name, gateway.environment, len(set(days)), rows.count(), len(called & nobodys))


def gateways(*, person: Person) -> QuerySet[UsageGateway]:
    """The gateways that the person may see, by name: all, or those that they report."""
    rows = UsageGateway.objects.select_related("reporter").annotate(line_count=Count("records"))
    rows = rows.order_by("name", "environment")
    return rows if sees_everything(person) else rows.filter(reporter_id=person.id)


def _latest_authorizations(digests: Collection[str]) -> dict[tuple[str, str], Authorization]:
    """The latest authorization of these digests and of managed models in each environment, of those in force first."""
    rows = Authorization.objects.select_related("decision__request__model_version__asset__owner")
    rows = rows.select_related("decision__request__team", "decision__request__model_version").order_by("pk")
    rows = rows.filter(Q(subject_digest__in=digests) | Q(decision__request__model_version__kind=MANAGED.kind))
    latest: dict[tuple[str, str], Authorization] = {}
    for row in rows.defer("envelope", "decision__request__business_case"):
        key = (row.subject_digest, row.environment)
        if key not in latest or row.state in IN_FORCE or latest[key].state not in IN_FORCE:
            latest[key] = row
    return latest


def _digest_of(model: str, rows: Mapping[str, Authorization]) -> str:
    """The digest that a name means among the authorizations of an environment; "" if it is none or several."""
    if not model:
        return ""
    names = {
        digest: {
            name
            for subject in managed_models(row.decision.request.model_version.document)[:1]
            for name in accepted_models(subject)
        }
        for digest, row in rows.items()
        if row.decision.request.model_version.kind == MANAGED.kind
    }
    living = [digest for digest, row in rows.items() if row.state in IN_FORCE]
    return digest_named(model, names=names, living=living)


def _sums(month: date) -> list[tuple[str, str, str, UsageTotals]]:
    """The sums of a month by environment, digest and name."""
    rows = UsageRecord.objects.filter(day__gte=month, day__lt=next_month(month))
    sums: dict[str, object] = {f"sum_{name}": Sum(name) for name in COUNTS}
    keys = ("gateway__environment", "digest", "model")
    found = (
        rows.values(*keys)
        .annotate(**sums, sum_usd=Sum("usd"), unpriced=Count("pk", filter=Q(usd__isnull=True)))
        .order_by(*keys)
    )
    return [
        (
            *(row[key] for key in keys),
            UsageTotals(
                **{name: int(row[f"sum_{name}"]) for name in COUNTS},
                usd=None if row["unpriced"] else row["sum_usd"],
            ),
        )
        for row in found
    ]


def _plus(one: UsageTotals, other: UsageTotals) -> UsageTotals:
    counts = {name: getattr(one, name) + getattr(other, name) for name in COUNTS}
    usd = None if one.usd is None or other.usd is None else one.usd + other.usd
    return UsageTotals(**counts, usd=usd)


def _view(row: Authorization, usage: UsageTotals) -> UsageView:
    shares = shares_of(usage, tokens=row.tokens_per_month, usd=row.usd_per_month)
    request = row.decision.request
    return UsageView(
        name=str(request.model_version),
        environment=row.environment,
        team=request.team.slug,
        authorization=row.number,
        request=request.ref,
        **{name: getattr(usage, name) for name in COUNTS},
        usd=usage.usd,
        tokens_per_month=row.tokens_per_month,
        usd_per_month=row.usd_per_month,
        percent=max((share.percent for share in shares), default=None),
        is_denied=row.denied_until is not None,
    )


def _unmatched(name: str, environment: str, usage: UsageTotals) -> UsageView:
    counts = {each: getattr(usage, each) for each in COUNTS}
    return UsageView(
        name=name,
        environment=environment,
        team="",
        authorization="",
        request="",
        **counts,
        usd=usage.usd,
        tokens_per_month=None,
        usd_per_month=None,
        percent=None,
        is_denied=False,
    )
