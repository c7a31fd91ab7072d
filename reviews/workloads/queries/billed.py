"""GPUs on bills that nobody asked for: lines that no authorization, clearance or open request explains.

Allocation rules say to which model, and to which request, a line belongs. A line is explained by an approval of that
request or of a version of that model that was in force in the quarter. Its tag `request` counts too, if the request is
of the team that the rules name: a tag alone is a claim.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

from django.db.models import F, Func, Q, QuerySet, Sum, TextField, Value
from django.db.models.functions import TruncMonth

from governance.bills.domain.currencies import Amount, CurrencyRate, convert
from governance.bills.models import SpendLine
from governance.bills.queries.allocation import used_in
from governance.bills.queries.spend import all_rates, unconverted_text
from governance.bills.rules import may_see_bills
from governance.budgets.domain.quarters import Quarter
from governance.exports.domain.tables import ExportTable
from governance.people.domain.roles import Person
from reviews.authorizations.domain.authorization_states import IN_FORCE, AuthorizationState
from reviews.authorizations.models import Authorization
from reviews.requests.domain.lifecycle import OPEN_STATES, RequestState
from reviews.requests.models import ReviewRequest

TAG = Func(F("tags"), Value("request"), function="jsonb_extract_path_text", output_field=TextField())
WHOSE = {
    "provider": "provider",
    "account": "subaccount",
    "resource": "resource",
    "sku": "sku",
    "team": "rule__team__slug",
    "asset": "rule__asset",
    "model": "rule__asset__slug",
    "owner": "rule__asset__owner",
    "request": "rule__request_ref",
    "tag": "request_tag",
    "currency": "currency",
}
COLUMNS = (
    *("Quarter", "Provider", "Account", "Resource", "SKU", "Team", "Model"),
    *("USD", "GPU hours", "Not converted", "Request"),
)
ENDED_LATER = IN_FORCE | {AuthorizationState.EXPIRED, AuthorizationState.SUPERSEDED}
Line = Mapping[str, Any]


@dataclass(frozen=True)
class BilledGpus:
    """GPUs of one resource in a quarter that no approval explains; of lines without a resource, of one SKU.

    `team` and `model` are those of the most GPU hours, "" where no rule allocates them. `request` is an open request
    that asks for the model, "" if nobody asked. `apart` are amounts without an exchange rate.
    """

    quarter: str
    provider: str
    account: str
    resource: str
    sku: str
    team: str
    model: str
    usd: Decimal
    gpu_hours: Decimal
    apart: str
    request: str
    owner_id: int | None = field(default=None, repr=False)

    @property
    def name(self) -> str:
        """The resource in a line."""
        return " ".join(filter(None, (self.provider, self.account, self.resource or self.sku)))


@dataclass(frozen=True)
class _Approved:
    """What explains lines of a quarter: models and requests by ID and reference, and the open request of each."""

    assets: frozenset[int]
    refs: Mapping[str, str]
    open_by_asset: Mapping[int, str]
    open_refs: frozenset[str]

    def explains(self, line: Line) -> bool:
        """Whether an approval explains the line."""
        tagged_team = self.refs.get(line["request_tag"] or "")
        return (
            line["rule__asset"] in self.assets
            or line["rule__request_ref"] in self.refs
            or (tagged_team is not None and tagged_team == line["rule__team__slug"])
        )

    def asked_in(self, lines: Iterable[Line]) -> str:
        """The open request that asks for one of the lines, or ""."""
        for line in lines:
            ref = line["rule__request_ref"]
            if ref in self.open_refs:
                return str(ref)
            if line["rule__asset"] in self.open_by_asset:
                return self.open_by_asset[line["rule__asset"]]
        return ""


def billed(*, person: Person | None, quarter: Quarter) -> list[BilledGpus]:
    """The unexplained GPUs of a quarter, the most expensive first; `person` None is the system and sees all.

    People who may not see complete bills see the lines of their teams.
    """
    lines = used_in(start=quarter.start_on, end=quarter.end_on).filter(gpu_hours__gt=0)
    if person is not None and not may_see_bills(person):
        lines = lines.filter(rule__team__slug__in=person.teams) if person.is_active else lines.none()
    sums = list(_sums(lines))
    approved, rates = _approved(quarter, sums), all_rates()
    by_resource: dict[tuple[str, ...], list[Line]] = defaultdict(list)
    for line in sums:
        if not approved.explains(line):
            what = (line["resource"], "") if line["resource"] else ("", line["sku"])
            by_resource[(line["provider"], line["subaccount"], *what)].append(line)
    rows = [_billed(quarter, key, several, approved, rates) for key, several in by_resource.items()]
    return sorted(rows, key=lambda row: (-row.usd, -row.gpu_hours, row.name))


def table(rows: Sequence[BilledGpus]) -> ExportTable:
    """The list as a table."""
    names = ("quarter", "provider", "account", "resource", "sku", "team", "model")
    more = ("usd", "gpu_hours", "apart", "request")
    cells = ([getattr(row, name) for name in (*names, *more)] for row in rows)
    return ExportTable("billed-gpus", COLUMNS, cells, len(rows))


def _sums(lines: QuerySet[SpendLine]) -> Iterator[Line]:
    rows = lines.annotate(request_tag=TAG, month=TruncMonth("day")).order_by().values(*WHOSE.values(), "month")
    yield from rows.annotate(cost=Sum("effective"), hours=Sum("gpu_hours"))


def _billed(
    quarter: Quarter, key: tuple[str, ...], lines: Sequence[Line], approved: _Approved, rates: Sequence[CurrencyRate]
) -> BilledGpus:
    provider, account, resource, sku = key
    largest = _largest(lines)
    converted = convert([Amount.of_month(line["currency"], line["month"], line["cost"]) for line in lines], rates)
    return BilledGpus(
        quarter=str(quarter),
        provider=provider,
        account=account,
        resource=resource,
        sku=sku,
        team=largest["rule__team__slug"] or "",
        model=largest["rule__asset__slug"] or "",
        usd=converted.usd,
        gpu_hours=sum((line["hours"] for line in lines), Decimal(0)),
        apart=unconverted_text(converted.apart),
        request=approved.asked_in(lines),
        owner_id=largest["rule__asset__owner"],
    )


def _largest(lines: Sequence[Line]) -> Line:
    """A line of the team and the model with the most GPU hours."""
    hours: dict[tuple[object, object], Decimal] = defaultdict(Decimal)
    for line in lines:
        hours[line["rule__team__slug"], line["rule__asset"]] += line["hours"]
    return max(lines, key=lambda line: (hours[line["rule__team__slug"], line["rule__asset"]], line["cost"]))


def _approved(quarter: Quarter, lines: Sequence[Line]) -> _Approved:
    """What was approved in the quarter and is asked for now, of the models and the requests that the lines name."""
    start, end = (datetime.combine(day, time(), UTC) for day in (quarter.start_on, quarter.next.start_on))
    held = Authorization.objects.filter(
        state__in=[state.value for state in ENDED_LATER], issued_at__lt=end, expires_at__gte=start
    )
    cleared = Q(state=RequestState.CLEARED) | Q(state=RequestState.EXPIRED, review_opened_at=None)
    cleared &= Q(submitted_at__lt=end, deadline_at__gte=start)
    assets = {line["rule__asset"] for line in lines} - {None}
    refs = {line["rule__request_ref"] for line in lines} - {None, ""}
    named = refs | {line["request_tag"] for line in lines if line["request_tag"]}
    approved = _about(assets, named).filter(Q(decision__authorization__in=held) | cleared)
    # Of a named request, too, that of its model counts which was filed first.
    assets_asked = {*assets, *_about((), refs).values_list("model_version__asset", flat=True)}
    asked = _about(assets_asked, ()).filter(state__in=[state.value for state in OPEN_STATES])
    asked = asked.exclude(state=RequestState.DRAFT).order_by("-pk")
    open_by_asset = dict(asked.values_list("model_version__asset", "ref"))
    rows = list(approved.values_list("model_version__asset", "ref", "team__slug"))
    return _Approved(
        assets=frozenset(asset for asset, _, _ in rows),
        refs={ref: team for _, ref, team in rows},
        open_by_asset=open_by_asset,
        open_refs=frozenset(open_by_asset.values()),
    )


def _about(assets: Collection[int], refs: Collection[str]) -> QuerySet[ReviewRequest]:
    """The requests of these models, and those of these references."""
    return ReviewRequest.objects.filter(Q(model_version__asset__in=assets) | Q(ref__in=refs))
