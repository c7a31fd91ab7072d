"""The agenda: which of everything known belongs before the meeting, why, and in which order. Each entry leads to its
page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from governance.budgets.domain.quarters import Quarter
from reviews.quarterly.domain.sources import (
    BrokenLimit,
    ConditionDue,
    Exemption,
    ExpiringAuthorization,
    Found,
    Investment,
    Miss,
    Orphan,
    Saving,
    Sources,
    Unfinished,
)
from reviews.requests.domain.wording import value_words
from weighbridge.core.metrics import number_words

MISSES_SHOWN_MAX = 10
MISS_FROM = Decimal("0.1")
"""A bill within a tenth of its projection is no news."""


class AgendaKind(StrEnum):
    """Why something is on the agenda; in the order in which the meeting takes it."""

    FOLLOW_UP = "follow_up"
    PENDING_INVESTMENT = "pending_investment"
    NEW_INVESTMENT = "new_investment"
    OVER_BUDGET = "over_budget"
    FORECAST_ERROR = "forecast_error"
    BREACH = "breach"
    CONDITION_DUE = "condition_due"
    EXPIRING = "expiring"
    WAIVER = "waiver"
    NO_OWNER = "no_owner"
    SAVING_FOUND = "saving_found"
    SAVING_REALIZED = "saving_realized"
    ADDED = "added"

    @property
    def words(self) -> str:
        """The kind as a page writes it."""
        return _WORDS[self]


_WORDS = {
    AgendaKind.FOLLOW_UP: "Decided before, not finished",
    AgendaKind.PENDING_INVESTMENT: "Investment pending",
    AgendaKind.NEW_INVESTMENT: "Investment approved this quarter",
    AgendaKind.OVER_BUDGET: "Over budget",
    AgendaKind.FORECAST_ERROR: "Bill unlike its forecast",
    AgendaKind.BREACH: "Limit not kept",
    AgendaKind.CONDITION_DUE: "Condition due",
    AgendaKind.EXPIRING: "Authorization ends",
    AgendaKind.WAIVER: "Rule waived",
    AgendaKind.NO_OWNER: "Model without owner",
    AgendaKind.SAVING_FOUND: "Saving found",
    AgendaKind.SAVING_REALIZED: "Saving realized",
    AgendaKind.ADDED: "Added by the chair",
}
# What a finding's kind begins with; every other one tells of a limit that is not kept.
_OF_FINDING = {"budget.": AgendaKind.OVER_BUDGET, "cost.": AgendaKind.FORECAST_ERROR}
_ORDER = {kind: place for place, kind in enumerate(AgendaKind)}


@dataclass(frozen=True, slots=True, kw_only=True)
class AgendaEntry:
    """One item of the agenda; `subject` names what it is about, so that the same is never on it twice.

    `page` is its deep link; `model` is "team/slug", `request` a reference and `team` whose budget it concerns, "" where
    it is about none; `weight` sorts within a kind, the greatest first.
    """

    kind: AgendaKind
    subject: str
    title: str
    why: str
    page: str
    model: str = ""
    request: str = ""
    team: str = ""
    weight: Decimal = Decimal(0)


def gather(sources: Sources, *, quarter: Quarter) -> tuple[AgendaEntry, ...]:
    """The agenda of the quarter, in the order of the kinds, the weightiest of each first."""
    found = (
        *map(_follow_up, sources.unfinished),
        *_investments(sources.investments, quarter),
        *_findings(sources.findings),
        *_misses(sources.misses),
        *map(_breach, sources.breaches),
        *map(_condition, (each for each in sources.obligations if each.due_on <= quarter.next.end_on)),
        *map(_ending, (each for each in sources.endings if each.expires_at.date() <= quarter.next.end_on)),
        *map(_waiver, (each for each in sources.exemptions if each.expires_at.date() > quarter.start_on)),
        *map(_orphan, sources.orphans),
        *map(_saving, sources.savings),
    )
    kept = {(entry.kind, entry.subject): entry for entry in reversed(found)}
    return tuple(sorted(kept.values(), key=lambda entry: (_ORDER[entry.kind], -entry.weight, entry.subject)))


def request_page(ref: str, part: str = "") -> str:
    """The address of a request's page, or of a part of it."""
    return f"/requests/{ref}/{f'#{part}' if part else ''}"


def _follow_up(item: Unfinished) -> AgendaEntry:
    return AgendaEntry(
        kind=AgendaKind.FOLLOW_UP,
        subject=item.ref,
        title=item.text,
        model=item.model,
        why=f"Decided in {item.quarter}; {item.owner} owes it by {item.due_on:%Y-%m-%d}.",
        page=f"/action-items/{item.ref}/",
        weight=Decimal(-item.due_on.toordinal()),
    )


def _investments(items: tuple[Investment, ...], quarter: Quarter) -> Iterator[AgendaEntry]:
    for item in items:
        cost = f"{value_words(item.usd, unit='USD')} a year" if item.usd is not None else "no cost stated"
        fields = {
            "subject": item.ref,
            "title": item.title,
            "page": request_page(item.ref),
            "model": item.model,
            "request": item.ref,
        }
        weight = item.usd or Decimal(0)
        if item.approved_at is None:
            why = f"It is {item.state.replace('_', ' ')}: {cost}."
            yield AgendaEntry(kind=AgendaKind.PENDING_INVESTMENT, why=why, weight=weight, **fields)
        elif Quarter.of(item.approved_at) == quarter:
            why = f"Approved on {item.approved_at:%Y-%m-%d}: {cost}."
            yield AgendaEntry(kind=AgendaKind.NEW_INVESTMENT, why=why, weight=weight, **fields)


def _findings(items: tuple[Found, ...]) -> Iterator[AgendaEntry]:
    """An entry for each finding; those of one kind about one request, such as month after month, share theirs."""
    alike: dict[str, list[Found]] = {}
    for item in items:
        alike.setdefault(f"{item.kind}:{item.ref}" if item.ref else f"FND-{item.number}", []).append(item)
    for subject, found in alike.items():
        yield _found(subject, found[-1], found[:-1])


def _found(subject: str, item: Found, earlier: Sequence[Found]) -> AgendaEntry:
    kinds = (kind for prefix, kind in _OF_FINDING.items() if item.kind.startswith(prefix))
    others = ", ".join(f"FND-{each.number}" for each in earlier)
    return AgendaEntry(
        kind=next(kinds, AgendaKind.BREACH),
        subject=subject,
        why=f"{item.text} Found before too, and still open: {others}." if others else item.text,
        title=f"{item.model}: {item.subject}" if item.model else item.subject,
        page=item.page,
        team=item.team,
        model=item.model,
        request=item.ref,
    )


def _misses(items: tuple[Miss, ...]) -> Iterator[AgendaEntry]:
    """The worst first, at most `MISSES_SHOWN_MAX`; what was never projected is the worst of all."""
    known = [(each.error, each) for each in items]
    worst = sorted(known, key=lambda pair: (pair[0] is not None, -(pair[0] or Decimal(0)), pair[1].ref))
    for error, item in worst[:MISSES_SHOWN_MAX]:
        if error is not None and error < MISS_FROM:
            continue
        share = (
            f"{number_words((error * 100).quantize(Decimal(1)))} % off"
            if error is not None
            else "nothing was projected"
        )
        yield AgendaEntry(
            kind=AgendaKind.FORECAST_ERROR,
            subject=item.ref,
            title=f"{item.model}: the bill",
            request=item.ref,
            why=(
                f"Projected {value_words(item.projected_usd, unit='USD')}, billed "
                f"{value_words(item.billed_usd, unit='USD')}: {share}."
            ),
            page=request_page(item.ref, "authorization"),
            model=item.model,
            weight=abs(item.billed_usd - item.projected_usd),
        )


def _breach(item: BrokenLimit) -> AgendaEntry:
    return AgendaEntry(
        kind=AgendaKind.BREACH,
        subject=f"{item.ref}:{item.metric}",
        title=f"{item.model}: {item.metric}",
        model=item.model,
        why=f"Measured {item.observed}, and the limit is {item.limit}.",
        page=request_page(item.ref, "metric-values"),
        request=item.ref,
    )


def _condition(item: ConditionDue) -> AgendaEntry:
    return AgendaEntry(
        kind=AgendaKind.CONDITION_DUE,
        subject=str(item.number),
        title=item.text,
        model=item.model,
        request=item.ref,
        why=f"{item.owner} owes it by {item.due_on:%Y-%m-%d} ({item.authorization}).",
        page=request_page(item.ref, "authorization"),
        weight=Decimal(-item.due_on.toordinal()),
    )


def _ending(item: ExpiringAuthorization) -> AgendaEntry:
    return AgendaEntry(
        kind=AgendaKind.EXPIRING,
        subject=item.authorization,
        title=f"{item.model} in {item.environment}",
        why=f"{item.authorization} ends on {item.expires_at:%Y-%m-%d}; to go on it must be reviewed again.",
        page=request_page(item.ref, "authorization"),
        model=item.model,
        request=item.ref,
        weight=Decimal(-item.expires_at.toordinal()),
    )


def _waiver(item: Exemption) -> AgendaEntry:
    return AgendaEntry(
        kind=AgendaKind.WAIVER,
        subject=str(item.number),
        title=f"{item.rule} of {item.ref}",
        request=item.ref,
        why=f"Waived by {item.granted_by} until {item.expires_at:%Y-%m-%d}: {item.reason}",
        model=item.model,
        page=request_page(item.ref, "policy"),
        weight=Decimal(-item.expires_at.toordinal()),
    )


def _orphan(item: Orphan) -> AgendaEntry:
    return AgendaEntry(
        kind=AgendaKind.NO_OWNER,
        subject=item.model,
        title=item.name,
        page=f"/models/{item.model}/",
        model=item.model,
        why=f"{item.owner} owned it, whose account is closed or who files for its team no more.",
    )


def _saving(item: Saving) -> AgendaEntry:
    kind = AgendaKind.SAVING_REALIZED if item.is_realized else AgendaKind.SAVING_FOUND
    by = (
        f"is {number_words((item.share * 100).quantize(Decimal(1)))} % faster"
        if item.share is not None
        else "is worth it"
    )
    use = "and in use" if item.is_realized else "and not in use"
    return AgendaEntry(
        kind=kind,
        subject=f"{item.ref}:{item.variant}",
        title=f"{item.model}: {item.variant}",
        model=item.model,
        why=f"The variant {item.variant} {by} {use}.",
        page=request_page(item.ref, "metric-values"),
        request=item.ref,
        weight=item.share or Decimal(0),
    )
