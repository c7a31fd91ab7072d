"""The leadership page of a quarter: its story as sentences from the values of the packet.

A sentence without a value is left out, and so is a topic without a sentence.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from reviews.packets.domain.leadership import LeadershipTopic, counted, named, sentence, topics_with_sentences
from reviews.quarterly.domain.agenda import AgendaKind
from reviews.quarterly.domain.packet import (
    AgendaRow,
    BudgetRowOfQuarter,
    FollowedRow,
    QuarterlyPacket,
    ScoreRow,
    Variance,
)
from reviews.requests.domain.wording import value_words
from reviews.scorecard.domain.scorecard import KpiStatus
from weighbridge.core.metrics.units import share_text

MINUS = "\N{MINUS SIGN}"
MOVERS, TAKEN, FIRST = 3, 4, 6
SAVINGS = (AgendaKind.SAVING_REALIZED, AgendaKind.SAVING_FOUND)
PRIORITY = (
    AgendaKind.BREACH,
    AgendaKind.OVER_BUDGET,
    AgendaKind.PENDING_INVESTMENT,
    AgendaKind.FOLLOW_UP,
    AgendaKind.SAVING_FOUND,
    AgendaKind.FORECAST_ERROR,
    AgendaKind.PRICES,
    AgendaKind.CONDITION_DUE,
    AgendaKind.EXPIRING,
    AgendaKind.WAIVER,
    AgendaKind.NO_OWNER,
    AgendaKind.FINDING,
    AgendaKind.ADDED,
)
"""What the meeting decides, the most urgent first. The other kinds tell of what has happened already."""


def leadership_of(packet: QuarterlyPacket) -> tuple[LeadershipTopic, ...]:
    """The topics of the leadership page that have a sentence, in order."""
    names = {page.model: page.name for page in packet.models}
    return topics_with_sentences(
        (
            ("Spend against budget", (*_spend(packet), *_over(packet.over))),
            ("Biggest movers", _movers(packet, names)),
            ("Decisions taken", _taken(packet)),
            ("Measured savings", _savings(packet.agenda, names)),
            ("Over their limits", (*_breaches(packet.agenda), *_missed(packet.scores, names))),
            ("What to decide now", _decisions(packet.agenda, names)),
        )
    )


def _spend(packet: QuarterlyPacket) -> Iterator[str]:
    allocated, spent, forecast = packet.allocated_usd, packet.spent_usd, packet.forecast_usd
    if packet.money and not allocated:
        yield f"{_usd(spent)} is spent; no budget in US dollars is allocated."
    if allocated:
        share = share_text(spent / allocated)
        yield f"{_usd(spent)} of {_usd(allocated)} is spent ({share})."
        yield f"The forecast for the whole quarter is {_usd(forecast)}, {_apart(forecast - allocated, 'the budget')}."
    before = next((row.before for row in packet.changes if row.what == "Spent"), "")
    if before:
        yield f"The previous packet had {before} spent."


def _over(rows: Sequence[BudgetRowOfQuarter]) -> Iterator[str]:
    worst = sorted(rows, key=lambda row: (row.unit != "USD", _excess(row) * -1, row.account))
    if worst:
        amounts = [f"{row.account} by {value_words(_excess(row), unit=row.unit)}" for row in worst]
        yield f"{counted(len(rows), 'account is', 'accounts are')} over budget or will be: {named(amounts)}."


def _excess(row: BudgetRowOfQuarter) -> Decimal:
    return max(row.spent, row.forecast) - row.allocated


def _movers(packet: QuarterlyPacket, names: Mapping[str, str]) -> Iterator[str]:
    rows = packet.variances
    moved = sorted((row for row in rows if row.difference_usd), key=lambda row: (-abs(row.difference_usd), row.model))
    if rows:
        projected, billed = sum(row.projected_usd for row in rows), sum(row.billed_usd for row in rows)
        models = counted(len(rows), "model was", "models were")
        apart = _apart(Decimal(billed - projected), "the projections")
        yield f"{models} billed {_usd(Decimal(billed))}, {apart}."
    if packet.not_compared:
        yield f"Bills without an exchange rate are not compared. Missing data: {'; '.join(packet.not_compared)}."
    yield from (_mover(row, names.get(row.model, row.model)) for row in moved[:MOVERS])


def _mover(row: Variance, name: str) -> str:
    causes = [f"{word} {_signed(usd)}" for word, usd in row.parts if usd]
    if row.unexplained_usd:
        causes.append(f"unexplained {_signed(row.unexplained_usd)}")
    return f"{name}: {_usd(row.billed_usd)}, {_apart(row.difference_usd, 'its projection')} ({', '.join(causes)})."


def _taken(packet: QuarterlyPacket) -> Iterator[str]:
    approved = _approved(packet)
    if approved:
        yield f"{counted(len(approved), 'investment was', 'investments were')} approved: {named(approved)}."
    if packet.rejected:
        titles = [row.title for row in packet.rejected]
        yield f"{counted(len(titles), 'request was', 'requests were')} rejected: {named(titles)}."
    yield from (_followed(row, packet) for row in packet.followed[:TAKEN])
    if (rest := len(packet.followed) - TAKEN) > 0:
        yield f"{counted(rest, 'more decision')} of earlier meetings {'is' if rest == 1 else 'are'} listed below."


def _approved(packet: QuarterlyPacket) -> list[str]:
    """The titles of the approved requests. Packets issued before these were recorded have them on the agenda only."""
    if packet.approved is not None:
        return [row.title for row in packet.approved]
    return [row.title for row in packet.agenda if row.kind == AgendaKind.NEW_INVESTMENT.words]


def _followed(row: FollowedRow, packet: QuarterlyPacket) -> str:
    decided = f"{row.decision} “{row.title}”"
    if row.state not in {"open", "acknowledged"}:
        return sentence(f"{row.state.replace('_', ' ').capitalize()}: {decided}. {row.outcome}".rstrip())
    word = "Overdue" if row.due_on < packet.cut_off_at.date() else "Not finished"
    return f"{word}: {decided}; {row.owner} must finish it by {row.due_on:%-d %B %Y}."


def _savings(agenda: Iterable[AgendaRow], names: Mapping[str, str]) -> Iterator[str]:
    rows = [row for kind in SAVINGS for row in agenda if row.kind == kind.words]
    yield from (f"{names.get(row.model, row.title)}: {sentence(row.reason)}" for row in rows[:TAKEN])
    if (rest := len(rows) - TAKEN) > 0:
        yield f"{counted(rest, 'more better variant was', 'more better variants were')} measured."


def _breaches(agenda: Iterable[AgendaRow]) -> Iterator[str]:
    rows = [row for row in agenda if row.kind == AgendaKind.BREACH.words]
    yield from (f"{row.title}: {sentence(row.reason)}" for row in rows[:TAKEN])
    if (rest := len(rows) - TAKEN) > 0:
        yield f"{counted(rest, 'more limit is', 'more limits are')} exceeded."


def _missed(scores: Sequence[ScoreRow], names: Mapping[str, str]) -> Iterator[str]:
    missed = [f"{row.kpi} of {names.get(row.model, row.model)}" for row in scores if row.status is KpiStatus.MISSED]
    unknown = sum(row.actual is None for row in scores)
    if missed:
        share = f"{len(missed):,} of {counted(len(scores), 'KPI')}"
        yield f"{share} missed {'its' if len(missed) == 1 else 'their'} target: {named(missed)}."
    if unknown:
        yield f"{counted(unknown, 'KPI has', 'KPIs have')} no value for the quarter."


def _decisions(agenda: Sequence[AgendaRow], names: Mapping[str, str]) -> Iterator[str]:
    """The items to decide, most urgent first, each with its number on the agenda."""
    places = {kind.words: place for place, kind in enumerate(PRIORITY)}
    rows = sorted((row for row in agenda if row.kind in places), key=lambda row: (places[row.kind], row.position))
    yield from (
        f"{row.kind}: {_title(row, names)} (item {row.position}). {sentence(row.reason)}" for row in rows[:FIRST]
    )
    if (rest := len(rows) - FIRST) > 0:
        yield f"{counted(rest, 'more item')} of the agenda {'needs' if rest == 1 else 'need'} a decision."


def _title(row: AgendaRow, names: Mapping[str, str]) -> str:
    """The title without its full stop, and with the name of its model instead of its address."""
    name = names.get(row.model, "")
    return (row.title.replace(row.model, name) if name else row.title).removesuffix(".")


def _apart(difference: Decimal, what: str) -> str:
    if not difference:
        return f"exactly {what}"
    return f"{_usd(abs(difference))} {'above' if difference > 0 else 'below'} {what}"


def _signed(amount: Decimal) -> str:
    return f"{'+' if amount > 0 else MINUS}{_usd(abs(amount))}"


def _usd(amount: Decimal) -> str:
    return value_words(amount, unit="USD")
