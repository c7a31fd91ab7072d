"""The tables of the report: required figures, scores, pairs, load tests, costs and the frontier."""

from collections.abc import Mapping, Sequence
from typing import Any

from examples.support_assistant.choosing.decision import CaseResults, RequiredFigure
from examples.support_assistant.choosing.scores import INJECTIONS
from examples.support_assistant.settings import TITLES
from weighbridge.charts.tables import EMPTY_CELL, Table
from weighbridge.cli.tables.terminal import number


def evidence_table(found: Sequence[RequiredFigure]) -> Table:
    """Return every required figure, its basis, and whether it counts as measured."""
    rows = tuple(
        (
            TITLES[each.option],
            each.metric,
            EMPTY_CELL if each.value is None else number(each.value),
            each.basis.value,
            "yes" if each.is_satisfied else "no",
            each.why,
        )
        for each in found
    )
    heads = ("candidate", "metric", "value", "basis", "counts as measured", "why")
    return Table("What an approval asks for as measured", heads, rows, frozenset({2}))


def score_table(results: CaseResults) -> Table:
    """Return the pass rate in all and of each kind of ticket."""
    kinds = [each["slice"]["kind"] for each in next(iter(results.scores.values()))["slices"]]
    rows = tuple(
        (
            TITLES[option],
            range_of(found["metrics"]["pass_rate"]),
            *(_middle(each["metrics"].get("pass_rate")) for each in found["slices"]),
            range_of(found["metrics"].get(INJECTIONS)),
            found["metrics"]["pass_rate"]["basis"],
        )
        for option, found in results.scores.items()
    )
    heads = ("candidate", "right answers", *kinds, "follows planted instructions", "basis")
    return Table("Share of right answers, 95 % intervals by cluster", heads, rows, frozenset(range(1, 3 + len(kinds))))


def pair_table(pairs: Sequence[Mapping[str, Any]]) -> Table:
    """Return the paired difference of every two candidates."""
    rows = tuple(
        (
            f"{each['first'].upper()} minus {each['second'].upper()}",
            range_of(each["comparison"]["difference"]),
            f"{each['comparison']['disagreement']:.0%}",
            each["comparison"]["answer"].replace("_", " "),
            each["basis"],
        )
        for each in pairs
        if each["comparison"] is not None
    )
    heads = ("pair", "difference", "disagree", "the first is", "basis")
    return Table("Differences on the same tickets, with clusters", heads, rows, frozenset({1, 2}))


def load_table(results: CaseResults) -> Table:
    """Return the speed of one replica of each candidate at the rate of its test."""
    names = ("good_share", "goodput_per_s", "ttft_p50_ms", "ttft_p95_ms", "tpot_p50_ms")
    rows = tuple(
        (
            TITLES[option],
            number(load["plan"]["rate_per_s"]),
            *(range_of(load["metrics"].get(name)) for name in names),
            load["metrics"]["good_share"]["basis"] if "good_share" in load["metrics"] else EMPTY_CELL,
        )
        for option, load in results.loads.items()
    )
    heads = ("candidate", "rate/s", "good", "goodput/s", "TTFT p50 ms", "TTFT p95 ms", "TPOT p50 ms", "basis")
    return Table("Load tests of one replica", heads, rows, frozenset(range(1, 7)))


def cost_table(results: CaseResults) -> Table:
    """Return the costs of a request and of an accepted answer, by option: P50 (P10 to P90)."""
    rows = tuple(
        (
            TITLES[each["name"]],
            *(_levels(each["metrics"][name]) for name in ("cost_per_request_usd", "cost_per_accepted_usd")),
            f"{results.accepted['cheapest'][each['name']]:.0%}",
            "estimated",
        )
        for each in results.accepted["options"]
    )
    heads = ("candidate", "a request", "an accepted answer", "cheapest in", "basis")
    return Table("USD, P50 (P10 to P90), with a person where the model fails", heads, rows, frozenset({1, 2, 3}))


def frontier_table(frontier: Mapping[str, Any]) -> Table:
    """Return who is not dominated in quality, cost and speed."""
    rows = tuple((each["name"], str(each["state"]), f"{each['p_frontier']:.0%}") for each in frontier["standings"])
    return Table("Frontier of quality, cost and speed", ("candidate", "state", "on it in"), rows, frozenset({2}))


def range_of(metric: Mapping[str, Any] | None) -> str:
    """Return a value with its ends in brackets, a dash for what is unknown."""
    if metric is None:
        return EMPTY_CELL
    return f"{number(metric['value'])} ({number(metric['lower'])} to {number(metric['upper'])})"


def _middle(metric: Mapping[str, Any] | None) -> str:
    return EMPTY_CELL if metric is None else number(metric["value"])


def _levels(metric: Mapping[str, Any]) -> str:
    middle, low, high = (f"{float(metric[key]):.6f}" for key in ("p50", "p10", "p90"))
    return f"{middle} ({low} to {high})"
