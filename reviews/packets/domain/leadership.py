"""The leadership page of a packet: what a request asks, costs and proves, as sentences from the values of the packet.

A sentence without a value is left out, and so is a topic without a sentence.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from benchmarking.runs.domain.alternatives import ANSWERS, ANSWERS_OF_LANGUAGE, VariantLine
from reviews.packets.domain.packet import BudgetRow, ConditionPart, PacketDocument
from reviews.packets.domain.packet_evidence import ClaimComparison, CostRow
from reviews.packets.domain.packet_projection import OptionPart, ProjectionPart
from reviews.requests.domain import wording
from reviews.requests.domain.lifecycle import RequestState
from weighbridge.core.metrics.standard import metric_words

NAMED, MEASURED = 4, 3
WORTH_IT = frozenset({ANSWERS["worth_it"], ANSWERS_OF_LANGUAGE["worth_it"]})
WITHOUT_RESULT = {
    ANSWERS["failed"]: "could not be made",
    ANSWERS["uncompared"]: "could not be compared",
    ANSWERS_OF_LANGUAGE["cannot_tell"]: "gave no clear answer",
}
"""Answers that say nothing about the worth of a variant, each with the words for the variants that have it."""
UNDECIDED_ENDS = frozenset({RequestState.CLEARED, RequestState.WITHDRAWN, RequestState.EXPIRED})
"""States in which nobody decides, and nobody has decided."""
VALID = frozenset({"active", "pending_expiration"})
COSTS = {
    "Training, once": ("Training costs ", " once"),
    "Serving, one year": ("Serving costs ", " in one year"),
    "Total, one year": ("The first year costs ", " in total"),
}
PLANNED = ", planned"
_NUMBER = re.compile(r"-?[\d,]+(?:\.\d+)?(?:e-?\d+)?")


@dataclass(frozen=True, slots=True)
class LeadershipTopic:
    """A question of the leadership and the sentences that answer it."""

    title: str
    sentences: tuple[str, ...]


def topics_with_sentences(topics: Iterable[tuple[str, Iterable[str]]]) -> tuple[LeadershipTopic, ...]:
    """The topics that have a sentence, in order."""
    return tuple(LeadershipTopic(title, found) for title, sentences in topics if (found := tuple(sentences)))


def leadership_of(packet: PacketDocument) -> tuple[LeadershipTopic, ...]:
    """The topics of the leadership page that have a sentence, in order."""
    decided = "What was decided" if packet.cover.outcome else "What is to be decided"
    return topics_with_sentences(
        (
            ("What is asked", _asked(packet)),
            ("What it costs", _costs(packet)),
            ("Measured against claimed", _measured(packet.comparisons)),
            ("Cheaper alternatives", (*_variants(packet.variants), *_options(packet.projection), *_studies(packet))),
            ("Open doubts", _doubts(packet)),
            (decided, _decision(packet)),
        )
    )


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 rule`, `2 rules`, `1,200 rules`."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def named(names: Sequence[str]) -> str:
    """`A`, `A and B`, `A, B and 3 more`."""
    shown, rest = list(names[:NAMED]), len(names) - NAMED
    if rest > 0:
        shown.append(f"{rest:,} more")
    return " and ".join(filter(None, (", ".join(shown[:-1]), shown[-1])))


def sentence(text: str) -> str:
    """The text with a full stop, if it has no end of its own."""
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _asked(packet: PacketDocument) -> Iterator[str]:
    cover = packet.cover
    model = f"{cover.model_name} {cover.model_version}".strip()
    yield sentence(f"{cover.team} asks to use {model} in {cover.environment}: {cover.purpose}")
    if packet.business_metric:
        yield sentence(f"Expected change of the business metric: {packet.business_metric}")


def _costs(packet: PacketDocument) -> Iterator[str]:
    yield from map(_cost, packet.costs)
    short = [row for row in packet.budget if row.after < 0]
    accounts = [row for row in packet.budget if row.account == packet.budget[0].account]
    enough = [row for row in accounts if row.after >= 0]
    if enough:
        yield f"After it, {_account(enough[0])} has {named([_left(row) for row in enough])} available."
    if short:
        amounts = named([f"{_account(row)} by {wording.value_words(-row.after, unit=row.unit)}" for row in short])
        yield f"{counted(len(short), 'budget is', 'budgets are')} too small for it: {amounts}."


def _cost(row: CostRow) -> str:
    is_interval = row.interval_text and row.lower_usd != row.upper_usd
    interval = f"; with 80 % probability {row.interval_text} USD" if is_interval else ""
    before, after = COSTS.get(row.label, (f"{row.label}: ", ""))
    return f"{before}{_usd(row.value_usd)}{after} ({row.basis}{interval})."


def _account(row: BudgetRow) -> str:
    """`Retail vision 2026Q3`, `Retail vision 2027Q1 (planned)`: without commas, which separate accounts."""
    name, is_planned = row.account.removesuffix(PLANNED), row.account.endswith(PLANNED)
    return f"{' '.join(name.rsplit(', ', 1))}{' (planned)' if is_planned else ''}"


def _left(row: BudgetRow) -> str:
    return wording.value_words(row.after, unit=row.unit)


def _measured(rows: Iterable[ClaimComparison]) -> Iterator[str]:
    """Contradicted claims first; then the other claims that were measured, those that were not, derived values, and
    values on record that count instead of claims.
    """
    rows = list(rows)
    claimed = [row for row in rows if row.claimed]
    measured = sorted((row for row in claimed if row.measured), key=lambda row: not row.is_contradicted)
    yield from map(_measurement, measured[:MEASURED])
    if (rest := len(measured) - MEASURED) > 0:
        yield f"{counted(rest, 'more claim was', 'more claims were')} measured."
    if missing := [row.title for row in claimed if row.measured is None]:
        yield f"{counted(len(missing), 'claim was', 'claims were')} not measured: {named(missing)}."
    if derived := [row.title for row in rows if row.derived]:
        yield f"{counted(len(derived), 'value is', 'values are')} derived, not claimed: {named(derived)}."
    replacing = [row for row in rows if row.on_record]
    yield from map(_replacement, replacing[:MEASURED])
    if (rest := len(replacing) - MEASURED) > 0:
        yield f"{counted(rest, 'more value on record counts', 'more values on record count')}."


def _measurement(row: ClaimComparison) -> str:
    unit = f" {row.unit_words}" if row.unit_words else ""
    interval = f" ({row.interval_text})" if row.interval_text else ""
    limit = f"; the limit is {wording.value_words(row.limit, unit=row.unit)}" if row.limit is not None else ""
    end = ", which contradicts the claim" if row.is_contradicted else ""
    return (
        f"{row.title} was claimed as {row.claimed_words}{unit} and measured as {row.measured_words}{unit}{interval}"
        f"{end}{limit}."
    )


def _replacement(row: ClaimComparison) -> str:
    unit = f" {row.unit_words}" if row.unit_words else ""
    claim = f"was claimed as {row.claimed_words}{unit}" if row.claimed else "was not claimed"
    return f"{row.title} {claim}; {row.on_record_words}{unit} is on record for the same artifact and counts."


def _variants(lines: Sequence[VariantLine]) -> Iterator[str]:
    others = [line for line in lines if line.answer not in {ANSWERS["baseline"], ANSWERS["rival"]}]
    compared = [line for line in others if line.answer not in WITHOUT_RESULT]
    good = [line for line in compared if line.answer in WORTH_IT]
    for line in good[:NAMED]:
        yield f"{line.name} is {line.answer}{_gain(line)}."
    if compared and not good:
        yield f"{counted(len(compared), 'variant was', 'variants were')} measured; none is worth using."
    yield from filter(None, map(_worth, compared))
    for answer, words in WITHOUT_RESULT.items():
        if names := [line.name for line in others if line.answer == answer]:
            yield f"{counted(len(names), 'variant')} {words}: {named(names)}."


def _gain(line: VariantLine) -> str:
    parts = [
        f"it saves {line.usd_saved} USD for each accepted answer" if line.usd_saved else "",
        _speed(line.speed_up),
        f"its size is {line.size_mb} MB" if line.size_mb else "",
        f"its loss of {_quality(line)} is {line.quality_drop} points" if line.quality_drop else "",
    ]
    told = ", ".join(filter(None, parts))
    return f": {told}" if told else ""


def _speed(speed_up: str) -> str:
    """`1.61 (1.53 to 1.99), tied` as words. Tied: the interval includes no difference."""
    times, _, tied = speed_up.partition(", ")
    return f"it is {times} times as fast{', so no difference is shown' if tied else ''}" if times else ""


def _worth(line: VariantLine) -> str:
    """What a point of quality costs, where a cheaper variant loses quality; "" elsewhere."""
    saved, lost = _first(line.usd_saved), _first(line.quality_drop)
    if line.answer in WORTH_IT or saved <= 0 or lost <= 0:
        return ""
    price = wording.value_words(saved / lost, unit="USD")
    return f"To keep the {_quality(line)} that {line.name} loses costs {price} for each point and accepted answer."


def _quality(line: VariantLine) -> str:
    return "pass rate" if line.pass_rate else "accuracy"


def _first(text: str) -> Decimal:
    """The first number of a bounded value; 0 without one."""
    found = _NUMBER.search(text)
    return Decimal(found[0].replace(",", "")) if found else Decimal(0)


def _options(part: ProjectionPart | None) -> Iterator[str]:
    """The options for the same load that cost less in the first year than the requested one."""
    served = [(row.first_year.value, row) for row in (part.options if part else ()) if row.first_year.value is not None]
    chosen = next(((usd, row) for usd, row in served if row.is_chosen), None)
    if chosen is None or len(served) == 1:
        return
    less = sorted((pair for pair in served if pair[0] < chosen[0]), key=lambda pair: pair[0])
    yield from (_option(usd, row, chosen[0]) for usd, row in less[:NAMED])
    if not less:
        yield f"Of {len(served)} options for the same load, the requested one costs least in the first year."


def _option(usd: Decimal, row: OptionPart, chosen_usd: Decimal) -> str:
    return (
        f"{row.title} serves the same load for {_usd(usd)} in the first year, {_usd(chosen_usd - usd)} less than "
        f"requested; it is the cheapest in {row.cheapest_words} of the draws."
    )


def _studies(packet: PacketDocument) -> Iterator[str]:
    for study in packet.studies:
        if study.conclusions:
            yield f"{study.title}: {sentence(study.conclusions[0])}"


def _doubts(packet: PacketDocument) -> Iterator[str]:
    for row in packet.contradicted:
        if not row.answer:
            yield f"Nobody has explained the contradicted claim about {row.title} yet."
    for status, words in (("indeterminate", "cannot be evaluated"), ("waived", "is waived")):
        rules = packet.policy_evaluation.rules if packet.policy_evaluation else ()
        titles = list(dict.fromkeys(metric_words(rule.metric) for rule in rules if rule.status == status))
        yield from (f"The rule on {title} {words}." for title in titles)
    invalid = [f"run {run.run_id}" for run in packet.runs if run.verdict == "invalid"]
    if invalid:
        yield f"{counted(len(invalid), 'benchmark run is', 'benchmark runs are')} invalid: {named(invalid)}."
    yield from packet.repeated_runs
    if packet.comparisons and not any(row.measured for row in packet.comparisons):
        yield "No value was measured or attested."
    yield from _unfinished(packet)


def _unfinished(packet: PacketDocument) -> Iterator[str]:
    items = [row.title for row in packet.checklist if row.is_required and not row.is_complete]
    if items:
        count = counted(len(items), "required item of the checklist is", "required items of the checklist are")
        yield f"{count} open: {named(items)}."
    if packet.discussion and packet.discussion.open_count:
        threads = counted(packet.discussion.open_count, "thread of the discussion is", "threads of the discussion are")
        yield f"{threads} open."


def _decision(packet: PacketDocument) -> Iterator[str]:
    cover = packet.cover
    if cover.outcome:
        when = f" on {cover.decided_at:%-d %B %Y}" if cover.decided_at else ""
        names = dict.fromkeys(row.name for row in cover.approvers)
        people = f" by {named(list(names))}" if names else ""
        yield f"The request was {cover.outcome.replace('_', ' ')}{when}{people}."
        if packet.authorization and packet.authorization.state not in VALID:
            yield f"Its authorization {packet.authorization.number} is {packet.authorization.state}."
        yield from (_condition(row) for row in packet.conditions if row.met_at is None and not row.ended)
        return
    state = RequestState(cover.state)
    if state in UNDECIDED_ENDS:
        yield f"Nothing: the request is {state.words}."
        return
    yield f"Whether {cover.model_name} may be used in {cover.environment}; the request is {state.words}."
    for stage in packet.stages:
        if not stage.is_complete:
            missing = counted(stage.quorum - stage.approvals, "more approval")
            yield f"{stage.title} needs {missing} ({stage.approvals} of {stage.quorum})."


def _condition(row: ConditionPart) -> str:
    """The condition, not met, and who must meet it; or what an old packet does not say."""
    due = f"{row.due_on:%-d %B %Y}"
    if row.is_open:
        return f"Condition: {sentence(row.text)} {row.owner} must meet it by {due}."
    unknown = "whether it was lifted or carried over is not recorded"
    return f"Condition: {sentence(row.text)} {row.owner} had not met it (due {due}); {unknown}."


def _usd(amount: Decimal) -> str:
    return wording.value_words(amount, unit="USD")
