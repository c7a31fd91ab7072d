"""Reads of usage: what each authorized model used in a month, against its limits, and what nobody authorized."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Self

from django.db.models import Case, Count, Q, QuerySet, Sum, When
from django.db.models.fields.json import KT

from governance.budgets.domain.quarters import next_month
from governance.inventory.domain.aliases import managed_models
from governance.inventory.models import ModelVersion
from governance.people.domain.roles import Person
from governance.people.rules import sees_everything
from reviews.authorizations.domain.authorization_states import IN_FORCE
from reviews.authorizations.models import IS_IN_FORCE, Authorization
from reviews.workloads.domain.limits import LimitShare, UsageTotals, digest_named, models_meant, shares_of
from reviews.workloads.models import UsageGateway, UsageRecord
from weighbridge.client.integrations.litellm.entries import accepted_models
from weighbridge.subjects.managed import MANAGED

COUNTS = ("requests", "input_tokens", "cached_tokens", "output_tokens")
Used = dict[tuple[str, str], UsageTotals]
Reported = tuple[str, str, str, UsageTotals]
"""The environment, the digest and the name that a gateway reports, and the sums of a month."""


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
    the name or digest, and the environment. In three queries; in one if nothing was used.
    """
    reported = _sums(month)
    latest = _latest_authorizations(reported)
    found: dict[str, _Authorized] = {}
    sums: Used = {}
    for environment, digest, model, usage in reported:
        if environment not in found:
            found[environment] = _Authorized.of([row for key, row in latest.items() if key[1] == environment])
        key = (found[environment].digest_of(digest, model) or digest or model, environment)
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


@dataclass(frozen=True)
class _Authorized:
    """The digests that are authorized in an environment; of these, what providers call, and which are in force."""

    digests: Collection[str]
    names: Mapping[str, Collection[str]]
    living: Collection[str]

    @classmethod
    def of(cls, rows: Sequence[Authorization]) -> Self:
        """Of the latest authorizations of an environment. Each document is parsed once, not once for each name."""
        versions = {row.subject_digest: row.decision.request.model_version for row in rows}
        names = {
            digest: [name for subject in managed_models(version.document)[:1] for name in accepted_models(subject)]
            for digest, version in versions.items()
            if version.kind == MANAGED.kind
        }
        return cls(versions.keys(), names, [row.subject_digest for row in rows if row.state in IN_FORCE])

    def digest_of(self, digest: str, model: str) -> str:
        """The authorized digest that a report means; "" if it is none, or if its name means several."""
        if digest in self.digests:
            return digest
        return digest_named(model, names=self.names, living=self.living) if model else ""


def _latest_authorizations(reported: Sequence[Reported]) -> dict[tuple[str, str], Authorization]:
    """The latest authorization of what was reported, in each environment, of those in force first.

    The database chooses them: a model that was renewed many times has as many authorizations.
    """
    digests = {digest for _, digest, _, _ in reported if digest}
    digests |= _digests_called({model for _, _, model, _ in reported if model})
    ended = Case(When(IS_IN_FORCE, then=0), default=1)
    latest = Authorization.objects.filter(subject_digest__in=digests)
    latest = latest.order_by("subject_digest", "environment", ended, "-pk").distinct("subject_digest", "environment")
    rows = Authorization.objects.select_related("decision__request__model_version__asset__owner")
    rows = rows.select_related("decision__request__team", "decision__request__model_version").order_by("pk")
    rows = rows.filter(pk__in=latest.values("pk")) if digests else rows.none()
    rows = rows.defer("envelope", "decision__request__business_case")
    return {(row.subject_digest, row.environment): row for row in rows}


def _digests_called(names: Collection[str]) -> set[str]:
    """The digests of the managed models that one of the names may mean; `digest_named` says which it does."""
    providers, models = models_meant(names)
    rows = ModelVersion.objects.filter(kind=MANAGED.kind).alias(provider=KT("document__provider"))
    rows = rows.alias(called=KT("document__model")).filter(provider__in=providers, called__in=models)
    return set(rows.values_list("digest", flat=True).distinct())


def _sums(month: date) -> list[Reported]:
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
