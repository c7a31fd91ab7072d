"""`score`: the quality of predictions made anywhere; `score_answers`: that of answers of language models.

`answer_alternatives` compares cheaper ways to get such answers.
"""

import os
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from weighbridge.api.costing import price_book
from weighbridge.api.data import file_entry
from weighbridge.api.documents import PathLike, Source, check_chart, document_of, read_yaml, write_chart
from weighbridge.api.job_progress import now
from weighbridge.api.results import Result, Row, metric_rows
from weighbridge.cli.tables.language.alternatives_table import alternatives_parts
from weighbridge.cli.tables.language.answers_table import answers_parts, prompts_lines
from weighbridge.cli.tables.scores_table import scores_parts
from weighbridge.core.errors import Invalid
from weighbridge.optimization.language.answer_costs import DrawSettings
from weighbridge.optimization.language.document import alternatives_document
from weighbridge.optimization.language.plan_file import plan_from
from weighbridge.quality.answers import AnswerSettings
from weighbridge.quality.predictions.columns import Predictions
from weighbridge.quality.predictions.reading import predictions_of
from weighbridge.quality.predictions.task_rows import ReadingSettings
from weighbridge.quality.prompts.answer_file import read_answers
from weighbridge.quality.prompts.document import ModelAnswers, PromptScoreSettings, answers_document
from weighbridge.quality.prompts.judge_file import read_labels, read_verdicts
from weighbridge.quality.prompts.outcomes import read_refusals
from weighbridge.quality.prompts.planning import ComparisonPlan, prompts_document
from weighbridge.quality.prompts.prompt_file import read_prompts
from weighbridge.quality.scoring.document import scores_document
from weighbridge.quality.scoring.job import Wanted
from weighbridge.quality.scoring.measuring import ScoreSettings
from weighbridge.systems.target import NO_OPTIONS
from weighbridge.tradeoff.candidates import candidates_from

DEFAULTS = ScoreSettings()
ANSWER_DEFAULTS = PromptScoreSettings()
DRAW_DEFAULTS = DrawSettings()
Columns = Mapping[str, str | Sequence[str]]


def score(  # noqa: PLR0913 -- the options of the command line
    predictions: Any,
    truth: Any = None,
    *,
    metrics: Sequence[str] = (),
    slices: Sequence[str] = (),
    columns: Columns = NO_OPTIONS,
    group: str = "",
    weight: str = "",
    baseline: Any = None,
    margin: float | Mapping[str, float] | None = None,
    id: str = "",  # noqa: A002 -- the name of the option and of the column
    scores_are: str = "auto",
    threshold: float = 0.5,
    positive: str = "",
    box_format: str = "xyxy",
    confidence: float = DEFAULTS.confidence,
    resamples: int = DEFAULTS.resamples,
    seed: int = DEFAULTS.seed,
    min_rows: int = DEFAULTS.min_rows,
    chart: PathLike | None = None,
) -> Result:
    """Score predictions against their truth, with an interval for each metric.

    `predictions` are a table (.csv, .parquet, .jsonl), an `.npz` file, a data frame (pandas, Polars) or a mapping of
    arrays with one entry per row. Columns are found by their names (`quality.predictions.columns.ROLES`), or `columns`
    maps a role to one or several columns. Or give two arrays: answers, and their `truth`.

    `metrics` are names of the registry, with a parameter like `ndcg@10`, or `package.module:function` of your own:
    (truth, answers) -> float, more is better unless the function has `is_higher_better = False`. Without any, those of
    the kind of the columns are scored, and `chosen` says which kind.

    Intervals hold at `confidence`: Wilson's for accuracy, DeLong's for ROC AUC, otherwise an expanded percentile
    bootstrap (`resamples` from `seed`) of rows, of the queries of a ranking, or of whole groups of the column `group`.
    `weight` is a column of row weights. `slices` are columns (`"country"`, or crossed `"country,device"`) whose values
    are scored one by one at a level corrected for their number (Bonferroni); those with fewer than `min_rows` rows or
    groups have no metrics. `baseline` are other predictions of the same rows, paired by the column `id` or by order:
    `drops` tells how much worse the predictions are, and whether that is shown to be below `margin`, in the unit of the
    metric, or one for each metric.

    The result is a `weighbridge.scores/1` document, with the digests of the files that were scored. `to_pandas()` has a
    row for each metric of all rows and of each slice. `chart` is a file for the reliability chart of probabilities.
    Raises Invalid for columns and values that cannot be scored, and ExtraMissing.
    """
    check_chart(chart)
    named = {"group": group, "weight": weight, "id": id}
    mapped = {**{role: _listed(names) for role, names in columns.items()}, **{k: [v] for k, v in named.items() if v}}
    wanted = Wanted(
        metrics=metrics,
        slices=slices,
        baseline=None if baseline is None else predictions_of(baseline, _without_groups(mapped)),
        margin=margin,
        reading=ReadingSettings(
            answers=AnswerSettings(scores=scores_are, threshold=threshold), positive=positive, box_format=box_format
        ),
        score=ScoreSettings(confidence=confidence, resamples=resamples, seed=seed, min_rows=min_rows),
    )
    document = scores_document(_predictions(predictions, truth, mapped), wanted)
    document |= {"predictions": file_entry(predictions), "baseline": file_entry(baseline)}
    if chart is not None:
        _draw(document, Path(chart))
    return Result(document, tuple(_rows(document)), lambda: scores_parts(document))


def _predictions(given: Any, truth: Any, mapped: Mapping[str, Sequence[str]]) -> Predictions:
    if truth is not None:
        return predictions_of({"answers": given, "y": truth}, mapped)
    if isinstance(given, str | os.PathLike | Mapping) or hasattr(given, "columns"):
        return predictions_of(given, mapped)
    raise Invalid("Give the truth too, or a file, a data frame or a mapping that contains both.", field="truth")


def _listed(names: str | Sequence[str]) -> Sequence[str]:
    return [names] if isinstance(names, str) else list(names)


def _without_groups(mapped: Mapping[str, Sequence[str]]) -> dict[str, Sequence[str]]:
    """Return the columns that a baseline needs: groups and weights are those of the predictions."""
    return {role: names for role, names in mapped.items() if role not in ("group", "weight")}


def _draw(document: Mapping[str, Any], path: Path) -> None:
    from weighbridge.quality.scoring.chart import reliability_chart

    write_chart(reliability_chart(document), path)


def _rows(document: Mapping[str, Any]) -> list[Row]:
    """Return a row for each metric of all rows, and of each slice if there are any."""
    if not document["slices"]:
        return list(metric_rows(document["metrics"]))
    entries = [{"name": "", "metrics": document["metrics"]}, *document["slices"]]
    return [row for entry in entries for row in metric_rows(entry["metrics"], slice=entry["name"])]


def score_answers(  # noqa: PLR0913 -- the options of the command line
    prompts: PathLike,
    answers: PathLike,
    *,
    baseline: PathLike | None = None,
    judge: PathLike | None = None,
    labels: PathLike | None = None,
    baseline_judge: PathLike | None = None,
    baseline_labels: PathLike | None = None,
    refusals: PathLike | None = None,
    margin: float | None = None,
    planned_prompts: int | None = None,
    slices: Sequence[str] = (),
    confidence: float = ANSWER_DEFAULTS.confidence,
    min_prompts: int = ANSWER_DEFAULTS.min_prompts,
    seed: int = ANSWER_DEFAULTS.seed,
) -> Result:
    """Score the answers of a language model to the prompts of a file, with intervals that know clusters.

    `prompts` and `answers` are files with one JSON object a line (`quality.prompts.prompt_file`, `answer_file`).
    Answers are averaged over the attempts of a prompt before anything else. `baseline` are answers of another model to
    the same prompts: the document tells whether the model is better, worse, or equivalent within `margin`, a difference
    of pass rates. With `planned_prompts` (clusters, if prompts have them), it also tells whether more prompts would
    change that, however often somebody looks.

    `judge` are verdicts of a judge, and `labels` those of people on a random part of the same answers, which correct
    its mistakes (PPI++). `baseline_judge` and `baseline_labels` are those of the baseline. `refusals` is a document
    with patterns that refusals match. `slices` are names of slices of the prompts, all of them by default.

    The result is a `weighbridge.answers/1` document. Raises Invalid for files that do not belong together.
    """
    files = {
        "answers": answers,
        "baseline": baseline,
        "judge_file": judge,
        "labels_file": labels,
        "baseline_judge_file": baseline_judge,
        "baseline_labels_file": baseline_labels,
        "refusals_file": refusals,
    }
    if baseline is None and (baseline_judge is not None or baseline_labels is not None):
        raise Invalid("Verdicts on a baseline need its answers; name them with --baseline.", field="baseline_judge")
    document = answers_document(
        read_prompts(Path(prompts)),
        _side(answers, judge, labels),
        None if baseline is None else _side(baseline, baseline_judge, baseline_labels),
        refusals=() if refusals is None else read_refusals(Path(refusals)),
        settings=PromptScoreSettings(
            confidence=confidence,
            margin=margin,
            planned=planned_prompts,
            slices=tuple(slices),
            min_prompts=min_prompts,
            seed=seed,
        ),
    )
    document |= {"prompts": file_entry(prompts), **{name: file_entry(path) for name, path in files.items()}}
    return Result(document, tuple(_rows(document)), lambda: answers_parts(document))


def prompts_needed(
    difference: float,
    *,
    disagreement: float = 0.2,
    pass_rate: float = 0.8,
    cluster_size: float = 1.0,
    icc: float = 0.0,
    power: float = 0.8,
    confidence: float = 0.95,
) -> Result:
    """Return how many prompts find a `difference` of pass rates with probability `power`, paired and unpaired.

    `disagreement` is the share of prompts on which the models differ. `cluster_size` prompts of a cluster have the
    correlation `icc`. The result is a `weighbridge.prompts-needed/1` document. Raises Invalid for numbers out of range.
    """
    plan = ComparisonPlan(
        difference=difference,
        disagreement=disagreement,
        pass_rate=pass_rate,
        cluster_size=cluster_size,
        icc=icc,
        power=power,
        confidence=confidence,
    )
    document = prompts_document(plan)
    return Result(document, (dict(document),), lambda: prompts_lines(document))


def answer_alternatives(
    plan: Source,
    *,
    confidence: float = DRAW_DEFAULTS.confidence,
    draws: int = DRAW_DEFAULTS.draws,
    seed: int = DRAW_DEFAULTS.seed,
    lists: Sequence[PathLike] = (),
    rates: PathLike | None = None,
    fx: PathLike | None = None,
    on: str | date | None = None,
) -> Result:
    """Compare cheaper alternatives to a language model on the same prompts: the pass rate, and an accepted answer.

    `plan` is a YAML file, or its mapping, that names the prompts, the margin of the pass rate, and the baseline and its
    alternatives with their answers and prices (`optimization.language.plan_file`). Usage is priced by the price book of
    the day `on`, with additional `lists`, negotiated `rates` and exchange rates `fx`. An alternative is `worth_it` if
    it is equivalent within the margin or better, and an accepted answer is cheaper, both by their whole intervals at
    `confidence`. The costs have `draws` draws from `seed`, which also parts the prompts of a cascade in halves.

    The result is a `weighbridge.candidates/1` document, with `kind`, `quality_drop` and `cost_saving` of each
    alternative. `to_pandas()` has a row for each candidate's metric. Raises Invalid for files that do not belong
    together.
    """
    source = document_of(plan)
    given = plan_from(read_yaml(source), source.parent) if isinstance(source, Path) else plan_from(source, Path())
    document = alternatives_document(
        given,
        price_book(lists, rates, fx, on),
        settings=DrawSettings(confidence=confidence, draws=draws, seed=seed),
        measured_at=now().isoformat(),
    )
    options = {each.name: each.answers for each in given.alternatives}
    document |= {
        "prompts": file_entry(given.prompts),
        "answers": file_entry(given.baseline.answers),
        "answer_files": {name: file_entry(path) for name, path in options.items() if path is not None},
    }
    rows = [row for each in document["candidates"] for row in metric_rows(each["metrics"], candidate=each["name"])]
    return Result(document, tuple(rows), lambda: alternatives_parts(candidates_from(document), document["verdict"]))


def _side(answers: PathLike, judge: PathLike | None, labels: PathLike | None) -> ModelAnswers:
    return ModelAnswers(
        answers=read_answers(Path(answers)),
        verdicts=None if judge is None else read_verdicts(Path(judge)),
        labels=None if labels is None else read_labels(Path(labels)),
    )
