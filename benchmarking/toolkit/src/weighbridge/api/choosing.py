"""`pareto`, `recommend`, `decide`, `portfolio` and `learning_curve`: which models to take."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from weighbridge.api.documents import PathLike, Source, check_chart, document_of, read_json, write_chart
from weighbridge.api.results import Result
from weighbridge.cli.tables.matrix_table import decision_parts
from weighbridge.cli.tables.portfolio_table import portfolio_parts
from weighbridge.core.errors import Invalid
from weighbridge.core.extras import require_extra
from weighbridge.tradeoff import pareto as frontiers
from weighbridge.tradeoff import recommendation
from weighbridge.tradeoff.axes import axes_of, axis_of, default_axes
from weighbridge.tradeoff.candidates import Candidates, candidates_from, read_candidates
from weighbridge.tradeoff.joined import joined
from weighbridge.tradeoff.learning import learning_curve as curves
from weighbridge.tradeoff.learning.points_file import PointsFile, points_from, read_points
from weighbridge.tradeoff.matrix.decided import DRAWS, SEED
from weighbridge.tradeoff.matrix.decided import decide as weigh_matrix
from weighbridge.tradeoff.matrix.file import matrix_from, read_matrix
from weighbridge.tradeoff.pareto_table import frontier_parts
from weighbridge.tradeoff.portfolio.file import portfolio_from, read_portfolio
from weighbridge.tradeoff.portfolio.outcome import optimized, outcome_document
from weighbridge.tradeoff.portfolio.solver import SECONDS
from weighbridge.tradeoff.requirements import Requirements, limits_of

Named = Sequence[tuple[str, Source]]


def pareto(
    candidates: Source | Named,
    *,
    axis: Sequence[str] = (),
    draws: int = frontiers.DRAWS,
    seed: int = frontiers.SEED,
    chart: PathLike | None = None,
) -> Result:
    """Find the candidates that no other candidate dominates, given the interval of each metric.

    `candidates` is the result of `optimize`, its file, or a `weighbridge.candidates/1` mapping; or pairs of a name and
    a result of `profile`, `score`, `load_test`, `project_costs` or a device. `axis` lists metrics with a direction,
    like "accuracy:max" and "latency_p95_ms:min"; by default quality, latency and size. Each metric is drawn `draws`
    times from its interval (two-piece normal). A candidate is on the `frontier` from a share of 95 % of the draws,
    `dominated` up to 5 %, and `ambiguous` in between (Pareto dominance: at least as good on every axis, better on one).
    `chart` is an `.svg` or `.png` file of the first two axes.

    `to_pandas()` has a row for each candidate. Raises Invalid for malformed candidates or an unknown metric.
    """
    check_chart(chart)
    choice = candidates_of(candidates)
    stated = dict.fromkeys(metric for each in choice.candidates for metric in each.metrics)
    axes = axes_of(axis or default_axes(stated))
    found = frontiers.weigh(choice.candidates, axes, draws=draws, seed=seed)
    if not found.standings:
        text = f"No candidate has all of {', '.join(each.metric for each in axes)}; name other axes with --axis."
        raise Invalid(text, code="axis", field="axis")
    if chart is not None:
        from weighbridge.tradeoff.charts.plane import trade_off

        write_chart(trade_off(choice.candidates, across=axes[min(1, len(axes) - 1)], up=axes[0]), Path(chart))
    rows = (
        {"candidate": each.name, "state": each.state.value, "p_frontier": each.p_frontier}
        | {ax.metric: choice.named(each.name).metrics[ax.metric].value for ax in axes}
        for each in found.standings
    )
    return Result(dataclasses.asdict(found), tuple(rows), lambda: frontier_parts(choice.candidates, found))


def recommend(  # noqa: PLR0913 -- the options of the command line
    candidates: Source | Named,
    *,
    max_p95_ms: float | None = None,
    max_size_mb: float | None = None,
    min_accuracy: float | None = None,
    limit: Sequence[str] = (),
    quality: str = "accuracy",
    margin: float = 0.01,
    load: Sequence[PathLike] = (),
    out: PathLike | None = None,
) -> Result:
    """Recommend a candidate under limits, with its reasons, its cost, possible changes of the choice, and unknowns.

    `candidates` is as for `pareto`. A limit applies to the whole interval, not the value: `max_p95_ms` in ms,
    `max_size_mb` in MB (1,000,000 bytes), `min_accuracy` a share, others as text like "peak_memory_mb<=200". Of the
    candidates that meet all limits, the cheapest whose `quality` is within `margin` of the best is taken. A metric that
    is not in the registry says which direction is better, like "my_score:max". `out` is a folder for the page (HTML,
    Markdown, PDF) and its charts; `load` has results of load tests for a chart.

    The result is a `weighbridge.recommendation/1` document; `winner` is None if no candidate meets the limits.
    `to_pandas()` has a row for each sentence. Raises Invalid, and ExtraMissing if `out` needs charts.
    """
    choice = candidates_of(candidates)
    wanted = requirements_of(max_p95_ms, max_size_mb, min_accuracy, limit, quality, margin)
    document = recommendation.recommend(choice, wanted).as_document()
    remarks: tuple[str, ...] = ()
    if out is not None:
        require_extra("charts")
        from weighbridge.tradeoff.sheets.recommendation_page import page_of

        loads = [read_json(Path(each)) for each in load]
        page = page_of(choice, wanted, title="Which model to take", loads=loads)
        remarks = _published(page, Path(out), name="recommendation")
    sentences = [(key, text) for key in ("why", "costs", "changes", "not_known") for text in document[key]]
    return Result(
        document,
        tuple({"winner": document["winner"], "about": key, "sentence": text} for key, text in sentences),
        lambda: [document["headline"], *(f"- {text}" for _, text in sentences)],
        remarks,
    )


def requirements_of(
    max_p95_ms: float | None,
    max_size_mb: float | None,
    min_accuracy: float | None,
    limits: Sequence[str],
    quality: str,
    margin: float,
) -> Requirements:
    """Combine the limits; raise Invalid for one that cannot be read."""
    named = {"latency_p95_ms<=": max_p95_ms, "model_size_mb<=": max_size_mb, "accuracy>=": min_accuracy}
    texts = [f"{words}{bound}" for words, bound in named.items() if bound is not None]
    axis = axis_of(quality)
    return Requirements(limits_of([*texts, *limits]), axis.metric, margin, axis.direction)


def decide(matrix: Source, *, draws: int = DRAWS, seed: int = SEED, out: PathLike | None = None) -> Result:
    """Decide between options by weighted criteria, and show how robust the decision is.

    `matrix` is a YAML file of `kind: DecisionMatrix`, or its mapping. Hard gates reject options. The others are scored
    by a weighted sum of min-max metrics, and by TOPSIS (Hwang & Yoon 1981) as a second opinion. Weights are direct,
    swing or pairwise (AHP, Saaty 1980). For `draws` draws, metrics are drawn from their intervals, and weights from
    near the stated ones and from all weights (SMAA's acceptability); rank reversals are searched. `out` is a folder for
    the page.

    The result is a `weighbridge.matrix/1` document; `winner` is None if no option passes. `to_pandas()` has a row for
    each option. Raises Invalid with the path of the invalid key, and ExtraMissing if `out` needs charts.
    """
    source = document_of(matrix)
    found = weigh_matrix(
        read_matrix(source) if isinstance(source, Path) else matrix_from(source), draws=draws, seed=seed
    )
    remarks: tuple[str, ...] = ()
    if out is not None:
        require_extra("charts")
        from weighbridge.tradeoff.matrix.page import matrix_sheet

        remarks = _published(matrix_sheet(found), Path(out), name="decision")
    document = found.as_document()
    keys = ("name", "rank", "score", "closeness", "p_best", "p_gates", "wins_near", "wins_any")
    rows = ({key: place[key] for key in keys} for place in document["places"])
    return Result(document, tuple(rows), lambda: decision_parts(found), remarks)


def learning_curve(
    points: Source | Sequence[tuple[int, float]],
    *,
    metric: str = "accuracy",
    confidence: float = 0.95,
    chart: PathLike | None = None,
) -> Result:
    """Forecast the metric at N, 2N and 4N training rows, and the ceiling if it can be identified.

    `points` are pairs (rows, value of `metric`, 0 to 1), a CSV file with the header `rows,accuracy` (or another metric;
    `error` if lower is better), or JSON. Several points at the same size are measurements on disjoint data. A power law
    error = a + b * rows^-c is fitted with the weights of Hoiem et al. (2021), with profile likelihood intervals at
    `confidence`, and back-tested on the largest size. `chart` is an `.svg` or `.png` file.

    The result is a `weighbridge.learning-curve/1` document. `to_pandas()` has a row for each forecast size. Raises
    Invalid for too few sizes.
    """
    check_chart(chart)
    given = _points(points, metric)
    document = curves.as_document(curves.forecast(given.rows, given.errors, confidence=confidence), metric=given.metric)
    if chart is not None:
        from weighbridge.tradeoff.charts.learning import learning_curve as draw

        write_chart(draw(document), Path(chart))
    rows = tuple({"metric": given.metric, **each} for each in document["expected"])
    return Result(document, rows, lambda: curves.describe(document))


def candidates_of(source: Source | Named) -> Candidates:
    """Read candidates from a file, a mapping, the result of `optimize`, or named results; raise Invalid."""
    if isinstance(source, Sequence) and not isinstance(source, str):
        return joined([(name, _loaded(each)) for name, each in source])
    document = document_of(source)
    return read_candidates(document) if isinstance(document, Path) else candidates_from(document)


def _loaded(source: Source) -> Mapping[str, Any]:
    document = document_of(source)
    return read_json(document) if isinstance(document, Path) else document


def _points(points: Source | Sequence[tuple[int, float]], metric: str) -> PointsFile:
    if isinstance(points, Sequence) and not isinstance(points, str):
        return points_from({"metric": metric, "points": [{"rows": rows, "value": value} for rows, value in points]})
    source = document_of(points)
    return read_points(source) if isinstance(source, Path) else points_from(source)


def _published(page: Any, folder: Path, *, name: str) -> tuple[str, ...]:
    """Write the page; return the reason if there is no PDF, else None."""
    from weighbridge.tradeoff.sheets.publishing import publish

    missing = publish(page, folder, name=name)
    return () if missing is None else (missing,)


def portfolio(problem: Source | Mapping[str, Any], *, seconds: float = SECONDS) -> Result:
    """Choose exactly one variant of each model with the highest expected net value under budgets.

    `problem` is a JSON file or a mapping of `weighbridge.portfolio/1`: accounts with budgets, and models with variants,
    each with draws of its net value in USD and of what it uses of each account. At most the share `over_at_most` of the
    draws may exceed an account (with `jointly`: any account). This is the sample average approximation of a chance
    constraint. Small problems are solved exactly; large ones by search for about `seconds` of
    processor time, with a proven `gap`.

    The document says what binds, what more budget is worth, and which change makes an impossible problem possible.
    `to_pandas()` has a row for each model. Raises Invalid for a malformed problem.
    """
    if not seconds >= 0:
        raise Invalid("The seconds must be zero or more.", code="seconds", field="seconds")
    document = document_of(problem)
    given = read_portfolio(document) if isinstance(document, Path) else portfolio_from(document)
    outcome = optimized(given, seconds=seconds)
    written = outcome_document(given, outcome)
    return Result(written, tuple(written["choices"]), lambda: portfolio_parts(outcome, given))
