"""`weighbridge score`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli import results
from weighbridge.cli.exits import errors_as_exits, output
from weighbridge.cli.option_rules import Needs
from weighbridge.cli.target_options import JsonOption, QuietOption


def score(  # noqa: PLR0913 -- every option of the command line
    predictions: Annotated[
        Path, typer.Argument(help="Predictions with their truth: .parquet, .csv, .jsonl or .npz.", show_default=False)
    ],
    metric: Annotated[
        list[str] | None,
        typer.Option(help="Metric, like log_loss or ndcg@10, or your own package.module:function; repeatable."),
    ] = None,
    slice_column: Annotated[
        list[str] | None,
        typer.Option("--slice", help="Column whose values are scored one by one; A,B crosses two; repeatable."),
    ] = None,
    group: Annotated[str, typer.Option(help="Column of rows that belong together, resampled whole.")] = "",
    weight: Annotated[str, typer.Option(help="Column with the weight of each row.")] = "",
    baseline: Annotated[
        Path | None, typer.Option(help="Predictions of the same rows, against which a loss is measured.")
    ] = None,
    margin: Annotated[
        list[str] | None,
        typer.Option(help="Acceptable loss against the baseline, for all metrics or METRIC=LOSS; repeatable."),
        Needs("--baseline"),
    ] = None,
    id_column: Annotated[
        str, typer.Option("--id", help="Column that pairs rows with those of the baseline."), Needs("--baseline")
    ] = "",
    truth: Annotated[str, typer.Option(help="Column of the truth.")] = "",
    prediction: Annotated[str, typer.Option(help="Column of the answers.")] = "",
    scores: Annotated[str, typer.Option(help="Column of scores, or one for each class: A,B,C.")] = "",
    query: Annotated[str, typer.Option(help="Column of the query of a ranked row.")] = "",
    relevance: Annotated[str, typer.Option(help="Column of the relevance of a ranked row.")] = "",
    treatment: Annotated[str, typer.Option(help="Column with 1 for treated units, 0 for controls.")] = "",
    scale: Annotated[str, typer.Option(help="Column of the scale of MASE.")] = "",
    boxes: Annotated[str, typer.Option(help="Column of true boxes, a list in each picture.")] = "",
    labels: Annotated[str, typer.Option(help="Column of their classes.")] = "",
    predicted_boxes: Annotated[str, typer.Option(help="Column of predicted boxes.")] = "",
    predicted_labels: Annotated[str, typer.Option(help="Column of their classes.")] = "",
    predicted_scores: Annotated[str, typer.Option(help="Column of their scores.")] = "",
    box_format: Annotated[str, typer.Option(help="Numbers of a box: xyxy or xywh.")] = "xyxy",
    scores_are: Annotated[
        str, typer.Option(help="What the scores of classes are: auto, probabilities, logits or independent.")
    ] = "auto",
    threshold: Annotated[float, typer.Option(help="Probability from which a row counts as the positive class.")] = 0.5,
    positive: Annotated[str, typer.Option(help="Name of the class that a single score is for.")] = "",
    confidence: Annotated[float, typer.Option(help="Confidence level of the intervals, 0 to 1.")] = 0.95,
    resamples: Annotated[int, typer.Option(help="Resamples of the bootstrap.")] = 1_000,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 20_260_101,
    min_rows: Annotated[int, typer.Option(help="Rows, or groups, below which a slice has no metrics.")] = 30,
    chart: Annotated[Path | None, typer.Option(help="Draw the reliability of probabilities (.svg or .png).")] = None,
    fail_if: results.FailIfOption = None,
    junit: results.JunitOption = None,
    markdown: results.MarkdownOption = None,
    json_file: JsonOption = None,
    quiet: QuietOption = False,
) -> None:
    """Score predictions made anywhere, with intervals.

    Also by slices, and against the predictions of a baseline.
    """
    from weighbridge.api.scoring import score as scored

    columns = {
        "truth": truth,
        "prediction": prediction,
        "scores": scores,
        "query": query,
        "relevance": relevance,
        "treatment": treatment,
        "scale": scale,
        "boxes": boxes,
        "labels": labels,
        "predicted_boxes": predicted_boxes,
        "predicted_labels": predicted_labels,
        "predicted_scores": predicted_scores,
    }
    checks = results.Checks(fail_if, None, junit, markdown)
    with errors_as_exits(writes=(json_file, *checks.files), keeps=(chart,)):
        checks.check_form()
        result = scored(
            predictions,
            metrics=metric or (),
            slices=slice_column or (),
            columns={role: names.split(",") for role, names in columns.items() if names},
            group=group,
            weight=weight,
            baseline=baseline,
            margin=_margin_from(margin),
            id=id_column,
            scores_are=scores_are,
            threshold=threshold,
            positive=positive,
            box_format=box_format,
            confidence=confidence,
            resamples=resamples,
            seed=seed,
            min_rows=min_rows,
            chart=chart,
        )
        output(result, json_file, is_quiet=quiet, beside=checks.files)
    is_shown = all(drop["is_non_inferior"] is not False for drop in result["drops"])
    missing = [] if result["chosen"] else [each["metric"] for each in result["missing"]]
    unclear = f"No value of {', '.join(missing)}; the result tells why." if missing else ""
    results.exit_with(result, checks, is_quiet=quiet, is_refused=not is_shown, unclear=unclear, beside=(json_file,))


def _margin_from(texts: Sequence[str] | None) -> float | dict[str, float] | None:
    """Return one margin for all metrics, or one for each metric that is named; raise Invalid."""
    from weighbridge.core.errors import Invalid

    if not texts:
        return None
    pairs = [text.rpartition("=") for text in texts]
    try:
        margins = {name: float(number) for name, _, number in pairs}
    except ValueError as error:
        raise Invalid("--margin takes a number, or METRIC=NUMBER.", field="margin") from error
    if len(margins) < len(pairs) or ("" in margins and len(margins) > 1):
        raise Invalid("Give one --margin for all metrics, or one METRIC=NUMBER for each.", field="margin")
    return margins.get("", margins)
