"""The sheet of a recommendation with its table and charts."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from weighbridge.charts.drawing import Chart
from weighbridge.charts.tables import EMPTY_CELL, Table
from weighbridge.tradeoff.axes import Axis, AxisDirection
from weighbridge.tradeoff.candidates import Candidate, Candidates
from weighbridge.tradeoff.charts.distribution import latency_cdf
from weighbridge.tradeoff.charts.learning import learning_curve
from weighbridge.tradeoff.charts.load import load_curve
from weighbridge.tradeoff.charts.plane import trade_off
from weighbridge.tradeoff.charts.words import name_of, with_bounds, with_unit
from weighbridge.tradeoff.decision import LATENCY, SIZE, is_usable
from weighbridge.tradeoff.pareto import weigh
from weighbridge.tradeoff.recommendation import COSTS, Recommendation, recommend
from weighbridge.tradeoff.requirements import Requirements, unit_of
from weighbridge.tradeoff.sheets.sheet import Sheet

HEADINGS = {"why": "Why", "costs": "What it costs", "changes": "What would change it", "not_known": "What is not known"}


def page_of(
    choice: Candidates, requirements: Requirements, *, title: str, loads: Sequence[Mapping[str, Any]] = ()
) -> Sheet:
    """Decide, and return the sheet; `loads` are two or more `weighbridge.load/1` results of one server, or none."""
    recommendation = recommend(choice, requirements)
    bounds = {limit.metric: limit.bound for limit in requirements.limits}
    usable = [candidate for candidate in choice.candidates if is_usable(candidate)]
    charts = tuple(
        (
            f"{requirements.quality}-{short}",
            trade_off(
                usable,
                across=Axis(metric, AxisDirection.MIN),
                up=requirements.axis,
                limits=bounds,
                chosen=recommendation.winner,
            ),
        )
        for metric, short in ((LATENCY, "latency"), (SIZE, "size"), *((cost, "cost") for cost in COSTS[:1]))
        if any({metric, requirements.quality} <= set(candidate.metrics) for candidate in usable)
    )
    digest = (choice.manifest or {}).get("digest")
    subtitle = f"{len(choice.candidates)} candidates, measured at {choice.measured_at}"
    return Sheet(
        title=title,
        subtitle=f"{subtitle}, {digest}" if digest else subtitle,
        headline=recommendation.headline,
        situation=recommendation.decision.situation,
        sections=tuple((heading, getattr(recommendation, key)) for key, heading in HEADINGS.items()),
        tables=(("Candidates", _table(choice, requirements, recommendation)),),
        charts=charts,
        appendix=tuple(_appendix(choice, usable, bounds, loads)),
    )


def _appendix(
    choice: Candidates, usable: Sequence[Candidate], bounds: Mapping[str, float], loads: Sequence[Mapping[str, Any]]
) -> Iterator[tuple[str, Chart]]:
    """Yield the latency distribution, the learning curve and the load curve, as far as there is data."""
    if any(candidate.samples is not None and candidate.samples.latency_ns for candidate in usable):
        yield "latency-distribution", latency_cdf(usable)
    if choice.learning_curve is not None:
        yield "learning-curve", learning_curve(choice.learning_curve)
    if loads:
        yield "load-curve", load_curve(loads, limit_ms=bounds.get(LATENCY))


def _table(choice: Candidates, requirements: Requirements, recommendation: Recommendation) -> Table:
    metrics = [requirements.quality, LATENCY, SIZE]
    metrics += [limit.metric for limit in requirements.limits if limit.metric not in metrics]
    stated = {metric for candidate in choice.candidates for metric in candidate.metrics}
    metrics += [cost for cost in COSTS if cost in stated and cost not in metrics]
    axes = (requirements.axis, *(Axis(metric, AxisDirection.MIN) for metric in metrics[1:3]))
    frontier = weigh([each for each in choice.candidates if is_usable(each)], axes)
    standings = {standing.name: standing.state.value for standing in frontier.standings}
    rows = tuple(
        (
            each.name,
            *(with_bounds(each.metrics.get(metric)) for metric in metrics),
            standings.get(each.name, EMPTY_CELL),
            _stands(each, requirements, recommendation),
        )
        for each in choice.candidates
    )
    heads = ("candidate", *(with_unit(metric, unit_of(metric)) for metric in metrics), "frontier", "stands")
    return Table("All candidates", heads, rows, frozenset(range(1, len(metrics) + 1)))


def _stands(candidate: Candidate, requirements: Requirements, recommendation: Recommendation) -> str:
    """Return a candidate's status in the decision."""
    race = recommendation.decision.race
    if candidate.name == recommendation.winner:
        return "chosen"
    if not is_usable(candidate):
        return "left out"
    if candidate not in race.within:
        return "misses " + ", ".join(name_of(limit.metric) for limit in requirements.unmet(candidate))
    for group, words in ((race.winners, "tied"), (race.fast, "larger"), (race.good, "slower")):
        if candidate in group:
            return words
    more = "less" if requirements.direction is AxisDirection.MAX else "more"
    return f"{more} {name_of(requirements.quality)}"
