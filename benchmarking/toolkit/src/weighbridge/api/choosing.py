"""`pareto`, `recommend`, `decide` and `learning_curve`: which model to take, and whether more data would help."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from weighbridge.api.documents import Source, document_of, read_json
from weighbridge.api.profiling import PathLike
from weighbridge.api.results import Result
from weighbridge.cli.tables.matrix_table import decision_parts
from weighbridge.core.extras import need_extra
from weighbridge.tradeoff import pareto as frontiers
from weighbridge.tradeoff import recommendation
from weighbridge.tradeoff.axes import DEFAULT_AXES, axes_of
from weighbridge.tradeoff.candidates import Candidates, candidates_from, read_candidates
from weighbridge.tradeoff.learning import learning_curve as curves
from weighbridge.tradeoff.learning.points_file import PointsFile, points_from, read_points
from weighbridge.tradeoff.matrix.decided import DRAWS, SEED
from weighbridge.tradeoff.matrix.decided import decide as weigh_matrix
from weighbridge.tradeoff.matrix.file import matrix_from, read_matrix
from weighbridge.tradeoff.pareto_table import frontier_parts
from weighbridge.tradeoff.requirements import Requirements, limits_of


def pareto(
    candidates: Source,
    *,
    axis: Sequence[str] = (),
    draws: int = frontiers.DRAWS,
    seed: int = frontiers.SEED,
    chart: PathLike | None = None,
) -> Result:
    """Say which candidates nobody beats, given the interval of every metric.

    `candidates` is what `optimize` returned, its file, or a `weighbridge.candidates/1` mapping. `axis` names metrics
    with a direction, like "accuracy:max" and "latency_p95_ms:min". Each metric is drawn `draws` times from its interval
    (two-piece normal); a candidate is on the `frontier` from a share of 95 % of the draws, `dominated` up to 5 %, and
    `ambiguous` between (dominance as in Pareto: at least as good on every axis, better on one). `chart` is an `.svg` or
    `.png` file of the first two axes.

    `to_pandas()` has a row for each candidate. Raises Invalid for another form or an unknown metric.
    """
    choice = candidates_of(candidates)
    axes = axes_of(axis or DEFAULT_AXES)
    found = frontiers.weigh(choice.candidates, axes, draws=draws, seed=seed)
    if chart is not None:
        need_extra("charts")
        from weighbridge.charts.drawing import save
        from weighbridge.tradeoff.charts.plane import trade_off

        save(trade_off(choice.candidates, across=axes[min(1, len(axes) - 1)], up=axes[0]), Path(chart))
    rows = (
        {"candidate": each.name, "state": each.state.value, "p_frontier": each.p_frontier}
        | {ax.metric: choice.named(each.name).metrics[ax.metric].value for ax in axes}
        for each in found.standings
    )
    return Result(dataclasses.asdict(found), tuple(rows), lambda: frontier_parts(choice.candidates, found))


def recommend(  # noqa: PLR0913 -- the options of the command line
    candidates: Source,
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
    """Name the candidate to take under limits, why, what it costs, what would change the choice, and what is not known.

    `candidates` is what `optimize` returned, its file, or its mapping. Limits hold for the interval, not the middle:
    `max_p95_ms` in ms, `max_size_mb` in MB (1,000,000 bytes), `min_accuracy` a share, others as texts like
    "peak_memory_mb<=200". Of those that meet them it takes the cheapest whose `quality` is within `margin` of the best.
    `out` is a folder for the page (HTML, Markdown, PDF) and its charts, `load` results of load tests that it draws.

    The result is a `weighbridge.recommendation/1` document; `winner` is None where nobody meets the limits.
    `to_pandas()` has a row for each sentence. Raises Invalid, and ExtraMissing where `out` needs charts.
    """
    choice = candidates_of(candidates)
    wanted = requirements_of(max_p95_ms, max_size_mb, min_accuracy, limit, quality, margin)
    document = recommendation.recommend(choice, wanted).as_document()
    remarks: tuple[str, ...] = ()
    if out is not None:
        need_extra("charts")
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
    """Put the limits together; raise Invalid for one that cannot be read."""
    named = {"latency_p95_ms<=": max_p95_ms, "model_size_mb<=": max_size_mb, "accuracy>=": min_accuracy}
    texts = [f"{words}{bound}" for words, bound in named.items() if bound is not None]
    return Requirements(limits_of([*texts, *limits]), quality, margin)


def decide(matrix: Source, *, draws: int = DRAWS, seed: int = SEED, out: PathLike | None = None) -> Result:
    """Weigh options by criteria and say which is best, and how little would change that.

    `matrix` is a YAML file of `kind: DecisionMatrix`, or the mapping it holds. Hard gates reject; the rest is scored by
    a weighted sum of min-max metrics, and by TOPSIS (Hwang & Yoon 1981) as a second opinion. Weights are direct, swing
    or pairwise (AHP, Saaty 1980). Metrics are drawn from their intervals, and weights near the stated ones and at all
    (SMAA's acceptability), `draws` times; rank reversals are searched. `out` is a folder for the page.

    The result is a `weighbridge.matrix/1` document; `winner` is None where nobody passes. `to_pandas()` has a row for
    each option. Raises Invalid with the path of the key at fault, and ExtraMissing where `out` needs charts.
    """
    source = document_of(matrix)
    found = weigh_matrix(
        read_matrix(source) if isinstance(source, Path) else matrix_from(source), draws=draws, seed=seed
    )
    remarks: tuple[str, ...] = ()
    if out is not None:
        need_extra("charts")
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
    """Say what more training data may bring: the metric to expect at N, 2N and 4N rows, and whether a ceiling is known.

    `points` are pairs (rows, value of `metric`, 0 to 1), a CSV file with the heading `rows,accuracy` (or another
    metric; `error` where lower is better), or JSON. Several points at the same size are measurements on disjoint data.
    A power law error = a + b * rows^-c is fitted with the weights of Hoiem et al. (2021), with intervals of profile
    likelihood at `confidence`, and back-tested on the largest size. `chart` is an `.svg` or `.png` file.

    The result is a `weighbridge.learning-curve/1` document. `to_pandas()` has a row for each expected size. Raises
    Invalid for too few sizes.
    """
    given = _points(points, metric)
    document = curves.as_document(curves.forecast(given.rows, given.errors, confidence=confidence), metric=given.metric)
    if chart is not None:
        need_extra("charts")
        from weighbridge.charts.drawing import save
        from weighbridge.tradeoff.charts.learning import learning_curve as draw

        save(draw(document), Path(chart))
    rows = tuple({"metric": given.metric, **each} for each in document["expected"])
    return Result(document, rows, lambda: curves.describe(document))


def candidates_of(source: Source) -> Candidates:
    """Read candidates from a file, a mapping, or the result of `optimize`; raise Invalid."""
    document = document_of(source)
    return read_candidates(document) if isinstance(document, Path) else candidates_from(document)


def _points(points: Source | Sequence[tuple[int, float]], metric: str) -> PointsFile:
    if isinstance(points, Sequence) and not isinstance(points, str):
        return points_from({"metric": metric, "points": [{"rows": rows, "value": value} for rows, value in points]})
    source = document_of(points)
    return read_points(source) if isinstance(source, Path) else points_from(source)


def _published(page: Any, folder: Path, *, name: str) -> tuple[str, ...]:
    """Write the page; return why there is no PDF, where there is none."""
    from weighbridge.tradeoff.sheets.publishing import publish

    missing = publish(page, folder, name=name)
    return () if missing is None else (missing,)
