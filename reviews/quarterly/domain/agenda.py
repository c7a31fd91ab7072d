"""The agenda rules: which items the meeting should see, why, and in which order. Each entry links to its page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from governance.budgets.domain.quarters import Quarter
from reviews.quarterly.domain.sources import (
    ConditionDue,
    ExpiringAuthorization,
    ForecastError,
    Investment,
    OpenAction,
    OpenFinding,
    Saving,
    Sources,
    UnownedModel,
    WaiverInForce,
)
from reviews.requests.domain.lifecycle import RequestState
from reviews.requests.domain.wording import value_words
from reviews.workflow.domain.tabs import tab_of
from weighbridge.core.metrics.titles import readable
from weighbridge.core.metrics.values import number_text

FORECAST_ERRORS_MAX = 10
FORECAST_ERROR_MIN = Decimal("0.1")
"""A bill that differs from its projection by less than this share is not on the agenda."""


class AgendaKind(StrEnum):
    """Why an item is on the agenda, in the order of the meeting."""

    FOLLOW_UP = "follow_up"
    PENDING_INVESTMENT = "pending_investment"
    NEW_INVESTMENT = "new_investment"
    OVER_BUDGET = "over_budget"
    FORECAST_ERROR = "forecast_error"
    BREACH = "breach"
    PRICES = "prices"
    FINDING = "finding"
    CONDITION_DUE = "condition_due"
    EXPIRING = "expiring"
    WAIVER = "waiver"
    NO_OWNER = "no_owner"
    SAVING_FOUND = "saving_found"
    SAVING_REALIZED = "saving_realized"
    ADDED = "added"

    @property
    def words(self) -> str:
        """The name of the kind on pages."""
        return _WORDS[self]


_WORDS = {
    AgendaKind.FOLLOW_UP: "Decided before, not finished",
    AgendaKind.PENDING_INVESTMENT: "Investment pending",
    AgendaKind.NEW_INVESTMENT: "Investment approved this quarter",
    AgendaKind.OVER_BUDGET: "Over budget",
    AgendaKind.FORECAST_ERROR: "Bill differs from its projection",
    AgendaKind.BREACH: "Limit exceeded",
    AgendaKind.PRICES: "Prices old or changed",
    AgendaKind.FINDING: "Open finding",
    AgendaKind.CONDITION_DUE: "Condition due",
    AgendaKind.EXPIRING: "Authorization ends",
    AgendaKind.WAIVER: "Rule waived",
    AgendaKind.NO_OWNER: "Model without owner",
    AgendaKind.SAVING_FOUND: "Better variant, not in use",
    AgendaKind.SAVING_REALIZED: "Better variant, in use",
    AgendaKind.ADDED: "Added by the chair",
}
# The agenda kind of a finding, by the part of the finding's kind before the first dot.
_OF_FINDING = {
    "budget": AgendaKind.OVER_BUDGET,
    "cost": AgendaKind.FORECAST_ERROR,
    "prices": AgendaKind.PRICES,
    "drift": AgendaKind.BREACH,
    "usage": AgendaKind.BREACH,
}
_ORDER = {kind: place for place, kind in enumerate(AgendaKind)}


@dataclass(frozen=True, slots=True, kw_only=True)
class AgendaEntry:
    """One item of the agenda. Kind and `subject` identify it, so that it is never listed twice.

    `page` is its link. `model` is "team/slug", `request` a reference, `team` the team whose budget it concerns; each is
    "" if it does not apply. `weight` sorts within a kind, largest first.
    """

    kind: AgendaKind
    subject: str
    title: str
    reason: str
    page: str
    model: str = ""
    request: str = ""
    team: str = ""
    weight: Decimal = Decimal(0)


def build_agenda(sources: Sources, *, quarter: Quarter) -> tuple[AgendaEntry, ...]:
    """The agenda of the quarter, in the order of the kinds; within a kind, the largest weight first."""
    entries = (
        *map(_follow_up, sources.open_actions),
        *_investments(sources.investments, quarter),
        *_findings(sources.findings),
        *_forecast_errors(sources.forecast_errors),
        *map(_condition, (condition for condition in sources.conditions if condition.due_on <= quarter.next.end_on)),
        *map(_expiration, (item for item in sources.expirations if item.expires_at.date() <= quarter.next.end_on)),
        *map(_waiver, (item for item in sources.waivers if item.expires_at.date() > quarter.start_on)),
        *map(_unowned_model, sources.unowned_models),
        *map(_saving, sources.savings),
    )
    unique = {(entry.kind, entry.subject): entry for entry in reversed(entries)}
    return tuple(sorted(unique.values(), key=lambda entry: (_ORDER[entry.kind], -entry.weight, entry.subject)))


def request_page(ref: str, part: str = "") -> str:
    """The address of a request's page, or of a part of it, which may be on another tab."""
    return f"/requests/{ref}/{tab_of(part).segment}{f'#{part}' if part else ''}"


def _follow_up(item: OpenAction) -> AgendaEntry:
    return AgendaEntry(
        kind=AgendaKind.FOLLOW_UP,
        subject=item.ref,
        title=item.text,
        model=item.model,
        reason=f"Decided in {item.quarter}; {item.owner} must finish it by {item.due_on:%Y-%m-%d}.",
        page=f"/action-items/{item.ref}/",
        weight=Decimal(-item.due_on.toordinal()),
    )


def _investments(items: tuple[Investment, ...], quarter: Quarter) -> Iterator[AgendaEntry]:
    for item in items:
        cost = f"{value_words(item.usd, unit='USD')} a year" if item.usd is not None else "no cost given"
        fields = {
            "subject": item.ref,
            "title": item.title,
            "page": request_page(item.ref),
            "model": item.model,
            "request": item.ref,
        }
        weight = item.usd or Decimal(0)
        if item.approved_at is None:
            reason = f"It is {RequestState(item.state).words}: {cost}."
            yield AgendaEntry(kind=AgendaKind.PENDING_INVESTMENT, reason=reason, weight=weight, **fields)
        elif Quarter.of(item.approved_at) == quarter:
            reason = f"Approved on {item.approved_at:%Y-%m-%d}: {cost}."
            yield AgendaEntry(kind=AgendaKind.NEW_INVESTMENT, reason=reason, weight=weight, **fields)


def _findings(items: tuple[OpenFinding, ...]) -> Iterator[AgendaEntry]:
    """One entry for each finding. Findings of one kind about the same request share an entry."""
    groups: dict[str, list[OpenFinding]] = {}
    for item in items:
        groups.setdefault(f"{item.kind}:{item.ref}" if item.ref else f"FND-{item.number}", []).append(item)
    for subject, findings in groups.items():
        yield _finding(subject, findings[-1], findings[:-1])


def _finding(subject: str, item: OpenFinding, earlier: Sequence[OpenFinding]) -> AgendaEntry:
    others = ", ".join(f"FND-{finding.number}" for finding in earlier)
    return AgendaEntry(
        kind=_OF_FINDING.get(item.kind.split(".")[0], AgendaKind.FINDING),
        subject=subject,
        reason=f"{item.text} Earlier findings that are still open: {others}." if others else item.text,
        title=f"{item.model}: {item.subject}" if item.model else item.subject,
        page=item.page,
        team=item.team,
        model=item.model,
        request=item.ref,
    )


def _forecast_errors(items: tuple[ForecastError, ...]) -> Iterator[AgendaEntry]:
    """The largest errors first, at most `FORECAST_ERRORS_MAX`. A bill without a projection counts as the largest."""
    by_error = [(item.error, item) for item in items]
    worst = sorted(by_error, key=lambda pair: (pair[0] is not None, -(pair[0] or Decimal(0)), pair[1].ref))
    for error, item in worst[:FORECAST_ERRORS_MAX]:
        if error is not None and error < FORECAST_ERROR_MIN:
            continue
        deviation = (
            f"{number_text((error * 100).quantize(Decimal(1)))} % off" if error is not None else "nothing was projected"
        )
        yield AgendaEntry(
            kind=AgendaKind.FORECAST_ERROR,
            subject=item.ref,
            title=f"{item.model}: the bill",
            request=item.ref,
            reason=(
                f"Projected {value_words(item.projected_usd, unit='USD')}, billed "
                f"{value_words(item.billed_usd, unit='USD')}: {deviation}."
            ),
            page=request_page(item.ref, "authorization"),
            model=item.model,
            weight=abs(item.billed_usd - item.projected_usd),
        )


def _condition(item: ConditionDue) -> AgendaEntry:
    return AgendaEntry(
        kind=AgendaKind.CONDITION_DUE,
        subject=str(item.number),
        title=item.text,
        model=item.model,
        request=item.ref,
        reason=f"{item.owner} must meet it by {item.due_on:%Y-%m-%d} ({item.authorization}).",
        page=request_page(item.ref, "authorization"),
        weight=Decimal(-item.due_on.toordinal()),
    )


def _expiration(item: ExpiringAuthorization) -> AgendaEntry:
    return AgendaEntry(
        kind=AgendaKind.EXPIRING,
        subject=item.authorization,
        title=f"{item.model} in {item.environment}",
        reason=f"{item.authorization} expires on {item.expires_at:%Y-%m-%d}; a new review is needed to extend it.",
        page=request_page(item.ref, "authorization"),
        model=item.model,
        request=item.ref,
        weight=Decimal(-item.expires_at.toordinal()),
    )


def _waiver(item: WaiverInForce) -> AgendaEntry:
    return AgendaEntry(
        kind=AgendaKind.WAIVER,
        subject=str(item.number),
        title=f"{readable(item.rule.replace('-', '_'))}, of {item.ref}",
        request=item.ref,
        reason=f"Waived by {item.granted_by} until {item.expires_at:%Y-%m-%d}: {item.reason}",
        model=item.model,
        page=request_page(item.ref, "policy"),
        weight=Decimal(-item.expires_at.toordinal()),
    )


def _unowned_model(item: UnownedModel) -> AgendaEntry:
    return AgendaEntry(
        kind=AgendaKind.NO_OWNER,
        subject=item.model,
        title=item.name,
        page=f"/models/{item.model}/",
        model=item.model,
        reason=f"Its owner {item.owner} has a closed account or is no longer a requester of its team.",
    )


def _saving(item: Saving) -> AgendaEntry:
    kind = AgendaKind.SAVING_REALIZED if item.is_realized else AgendaKind.SAVING_FOUND
    use = "It is in use." if item.is_realized else "It is not in use."
    return AgendaEntry(
        kind=kind,
        subject=f"{item.ref}:{item.variant}",
        title=f"{item.model}: {item.variant}",
        model=item.model,
        reason=f"The variant {item.variant} {_gain(item.share)} {use}",
        page=request_page(item.ref, "metric-values"),
        request=item.ref,
        weight=item.share or Decimal(0),
    )


def _gain(share: Decimal | None) -> str:
    """What a variant that is worth using gains. A variant that is not faster is worth using because it is smaller."""
    if share is None:
        return "is worth using."
    percent = (abs(share) * 100).quantize(Decimal(1))
    if not percent:
        return "is smaller, and about as fast."
    time = f"{number_text(percent)} % {'less' if share > 0 else 'more'} time"
    return f"answers in {time}." if share > 0 else f"is smaller, but answers in {time}."
