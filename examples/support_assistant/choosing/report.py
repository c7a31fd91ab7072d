"""The report: which assistant, why, what was measured and what a double only stands for, and what nobody knows yet."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from examples.support_assistant import specialist, stand_ins
from examples.support_assistant.choosing.decision import CaseResults, RequiredFigure, is_measured
from examples.support_assistant.choosing.report_tables import (
    cost_table,
    evidence_table,
    frontier_table,
    load_table,
    pair_table,
    score_table,
)
from examples.support_assistant.serving import INSTALL
from examples.support_assistant.settings import (
    DOUBLES,
    GOOD_SHARE,
    LIMITS,
    MEAN_PER_S,
    PEAK_PER_S,
    TITLES,
    SupportSettings,
)
from weighbridge.load.chat.limits import preset_limits
from weighbridge.tradeoff.axes import axis_of
from weighbridge.tradeoff.candidates import Candidates
from weighbridge.tradeoff.charts.plane import trade_off
from weighbridge.tradeoff.charts.words import listed
from weighbridge.tradeoff.matrix.decided import MatrixDecision
from weighbridge.tradeoff.matrix.page import matrix_sheet
from weighbridge.tradeoff.sheets.sheet import Sheet

TITLE = "Which support assistant: API, open model, tiny model or specialist"
TOKENS_PER_M = 1e6
Documents = Mapping[str, Any]


def sheet_of(
    settings: SupportSettings,
    decision: MatrixDecision,
    results: CaseResults,
    found: Sequence[RequiredFigure],
    choice: Candidates,
    documents: Documents,
) -> Sheet:
    """Lay out the case; `documents` has pairs, frontier, fit, sizing and own_or_api."""
    base = matrix_sheet(decision)
    sections = dict(base.sections)
    sections["What is not known"] = (*sections["What is not known"], *unknown_words(settings, results))
    return Sheet(
        title=TITLE,
        subtitle=(
            f"{settings.tickets} generated tickets of 12 clusters, {settings.rate_per_s:g} requests a second for "
            f"{settings.seconds:g} s each, {settings.draws:,} draws, seed {settings.seed}"
        ),
        headline=headline_of(decision, found),
        situation=base.situation,
        sections=(
            *sections.items(),
            ("Before an approval", tuple(approval_words(found))),
            ("What the candidates are", tuple(candidate_words(settings))),
            ("Memory, replicas and break-even of B", tuple(own_words(settings, documents))),
            ("What a failure may cost", tuple(threshold_words(results.accepted, settings))),
            ("Load tests", tuple(load_words(results))),
        ),
        tables=(
            *base.tables,
            ("Required figures", evidence_table(found)),
            ("Right answers", score_table(results)),
            ("Ticket by ticket", pair_table(documents["pairs"])),
            ("Speed", load_table(results)),
            ("Costs", cost_table(results)),
            ("Frontier", frontier_table(documents["frontier"])),
        ),
        plates=base.plates,
        charts=(
            (
                "quality-and-cost",
                trade_off(choice.candidates, across=axis_of("cost_per_accepted_usd"), up=axis_of("pass_rate")),
            ),
        ),
    )


def headline_of(decision: MatrixDecision, found: Sequence[RequiredFigure]) -> str:
    """Return the choice, and whether it rests on a double; then also the best whose figures are measured."""
    base, winner = matrix_sheet(decision).headline, decision.winner
    options = {title: option for option, title in TITLES.items()}
    if winner is None or is_measured(found, options[winner.name]):
        return base
    measured = [each.name for each in decision.ranked if is_measured(found, options[each.name])]
    best = f" Of what was measured, {measured[0]} is best." if measured else " Nothing that passes was measured."
    return f"{winner.name} comes first, but is not to be approved: required figures of it are not measured.{best}"


def unknown_words(settings: SupportSettings, results: CaseResults) -> Iterator[str]:
    """Say what no figure of this case tells."""
    declared = settings.declared
    yield (
        "A and B are doubles: that they are right with a declared chance, and how fast they are, was put in, not found "
        "out. Their quality and speed are estimated; only prices, memory and the path of a request are real."
    )
    yield (
        "Whether an answer is right is known here, because the tickets are generated. In production somebody has to "
        "notice a wrong answer; each that nobody notices has a cost that is not in these."
    )
    yield (
        "Tokens of A and B are counted by the double. A vendor counts otherwise, and a model that reasons is charged "
        f"for it: 100 reasoning tokens would add {100 * 2 / TOKENS_PER_M:.4f} USD to a request at 2 USD a million."
    )
    yield (
        f"{declared.model_sku} is the name of a family, not of a snapshot: what it answers may change without notice."
    )
    yield (
        "There are 12 clusters of tickets, so that intervals are wide and not quite reliable. Prompts of customers "
        "differ from generated ones."
    )
    yield (
        f"C and D were measured on this machine and priced as {declared.cpu_sku}; measure on the machine that will "
        "serve. D learned the rules of this shop and must be trained again when one changes."
    )
    for option in results.scores:
        for remark in (results.cost(option) or {"remarks": ()})["remarks"]:
            yield f"{TITLES[option]}: {remark['text']}"
    yield from results.why_without.values()


def approval_words(found: Sequence[RequiredFigure]) -> Iterator[str]:
    """Say which required figures are missing, and how they would be had."""
    for option in dict.fromkeys(each.option for each in found):
        open_ = [each.metric for each in found if each.option == option and not each.is_satisfied]
        if not open_:
            yield f"{TITLES[option]}: every required figure is measured."
        elif option in DOUBLES:
            yield (
                f"{TITLES[option]}: measure {listed(open_)} on the real one: `weighbridge load --chat` at its address "
                "with these prompts, then `weighbridge answers score`."
            )
        else:
            yield f"{TITLES[option]}: {listed(open_)} did not come out of this run; see its load test."


def candidate_words(settings: SupportSettings) -> Iterator[str]:
    """Say exactly what stands behind each letter."""
    declared = settings.declared
    yield (
        f"A is priced as {declared.model_sku}, and all prices are those of {declared.prices_on}. No vendor was called. "
        f"A double answers right with chance {stand_ins.MANAGED_RIGHT:g} and follows planted instructions with chance "
        f"{stand_ins.MANAGED_FOLLOWS:g} ({stand_ins.MANAGED_LAW.words()}; nothing cached)."
    )
    yield (
        f"B has the memory of Llama-3.1-8B and the price of {declared.gpu_sku}. A double answers right with chance "
        f"{stand_ins.OPEN_RIGHT:g} and follows planted instructions with chance {stand_ins.OPEN_FOLLOWS:g}, "
        "at the pace of a simulated replica with continuous batching."
    )
    yield (
        "C is SmolLM2-135M in 4 bits, served by llama.cpp on one thread of this machine, two answers at once, without "
        f"a cache of prompts. Everything about it is real. It needs packages of its own: {INSTALL}"
    )
    yield (
        f"D is four linear classifiers on {specialist.PLACES:,} hashed words and pairs of words, trained here on "
        f"{settings.training:,} other tickets that lack a third of the wordings; a pattern finds the order number. "
        "Everything about it is real."
    )


def own_words(settings: SupportSettings, documents: Documents) -> Iterator[str]:
    """Say what fits, what the peak needs, and from which volume B is cheaper than A."""
    fit, sizing, own = documents["fit"], documents["sizing"], documents["own_or_api"]
    (card,) = fit["accelerators"]
    yield (
        f"{fit['metrics']['parameters_total']['value']:,.0f} parameters in 16 bits need "
        f"{fit['metrics']['weights_gb']['value']:.2f} GB. The {card['label']} has room for {card['most_tokens']:,} "
        f"tokens of the cache beside them; no token comes faster than {card['tpot_floor_ms']:.1f} ms there (derived)."
    )
    replicas, rate = sizing["replicas"], sizing["highest_rate_per_s"]
    yield (
        f"The simulated replica keeps the limits for {GOOD_SHARE:.0%} of the requests up to {rate['value']:.3g} a "
        f"second ({rate['lower']:.3g} to {rate['upper']:.3g}). {PEAK_PER_S:g} a second need {replicas['value']} "
        f"replicas, {settings.declared.spare} of them spare. This is estimated: no accelerator was used."
    )
    middle = ((own or {}).get("break_even") or {}).get("middle")
    if middle is not None:
        yield (
            f"B costs less than A from {middle['per_h']:,.0f} requests an hour on; planned are "
            f"{MEAN_PER_S * 3_600:,.0f}."
        )
    elif own is not None:
        yield "There is no volume from which B costs less than A."


def threshold_words(accepted: Mapping[str, Any], settings: SupportSettings) -> Iterator[str]:
    """Say from which cost of a failure a dearer candidate is the cheaper one."""
    yield f"A person who answers instead of the model costs {settings.declared.fallback_usd:.2f} USD (declared)."
    for each in accepted["thresholds"]:
        yield (
            f"{TITLES[each['option']]} costs less than {TITLES[each['cheaper_than']]} once a failure costs more than "
            f"{each['above_failure_usd']['middle']:.4f} USD (in {each['probability']:.0%} of the draws there is such "
            "a cost)."
        )


def load_words(results: CaseResults) -> Iterator[str]:
    """Say how it was fired, and how far each test may be believed."""
    limits = preset_limits()[LIMITS]
    yield f"An answer is good within {limits.words()} ({limits.source}), from the moment its request was due."
    for option, load in results.loads.items():
        reasons = " ".join(reason["message"] for reason in load["verdict"]["reasons"])
        label = " (double)" if load["double"] else ""
        yield f"{option.upper()}{label}: {load['verdict']['status']}, attempt {load['attempts']}. {reasons}".rstrip()
