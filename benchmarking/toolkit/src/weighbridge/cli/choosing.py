"""`weighbridge decide`, `learning-curve`, `pareto`, `portfolio` and `recommend`: choose between candidates."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import DONE, NO, errors_as_exits, output

Quiet = Annotated[bool, typer.Option("--quiet", help="Print errors only.")]
CandidatesArgument = Annotated[
    list[str],
    typer.Argument(help="Candidates file of `optimize --json`, or results as NAME=FILE, several for one name."),
]
Seed = Annotated[int, typer.Option(help="Random seed.", min=0)]


def candidates_from(texts: list[str]) -> Path | list[tuple[str, Path]]:
    """Return the only file, or pairs of a name and a file from `NAME=FILE`; raise Invalid for anything else."""
    from weighbridge.core.errors import Invalid

    if len(texts) == 1 and "=" not in texts[0]:
        return Path(texts[0])
    pairs = [text.partition("=") for text in texts]
    if not all(name and sign and file for name, sign, file in pairs):
        text = "Give one candidates file, or each result with the name of its candidate, like int8=profile.json."
        raise Invalid(text, code="candidates_names", field="candidates")
    return [(name, Path(file)) for name, _, file in pairs]


def decide(
    matrix: Annotated[Path, typer.Argument(help="The matrix, a YAML file with `kind: DecisionMatrix`.")],
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the decision to this file.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the justification (HTML, Markdown, PDF) and its heat map.")
    ] = None,
    draws: Annotated[
        int, typer.Option(help="Number of draws of metrics and weights.", min=100, max=1_000_000)
    ] = 10_000,
    seed: Seed = 20_260_101,
    quiet: Quiet = False,
) -> None:
    """Choose between options by a decision matrix.

    Hard gates come first, then a weighted sum beside TOPSIS, and how stable the choice is.
    """
    from weighbridge.api.choosing import decide as decided

    with errors_as_exits(writes=(json_file,), keeps=(out,)):
        result = decided(matrix, draws=draws, seed=seed, out=out)
        output(result, json_file, is_quiet=quiet)
    raise typer.Exit(DONE if result["winner"] else NO)


def learning_curve(
    points: Annotated[Path, typer.Argument(help="CSV file with the header rows,accuracy or rows,error; or JSON.")],
    confidence: Annotated[float, typer.Option(help="Confidence level of the intervals, 0 to 1.")] = 0.95,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the forecast to this file.")] = None,
    chart: Annotated[Path | None, typer.Option(help="Draw the curve into this file, .svg or .png.")] = None,
    quiet: Quiet = False,
) -> None:
    """Forecast the effect of more training data.

    That is the metric at N, 2N and 4N rows, and its ceiling if it is known.
    """
    from weighbridge.api.choosing import learning_curve as forecast

    with errors_as_exits(writes=(json_file, chart), keeps=(chart,)):
        result = forecast(points, confidence=confidence, chart=chart)
        output(result, json_file, is_quiet=quiet)
    raise typer.Exit(NO if result["late_drop_from"] is not None else DONE)


def pareto(
    candidates: CandidatesArgument,
    axis: Annotated[
        list[str] | None,
        typer.Option(help="Metric to compare, optionally with a direction: metric:min or metric:max; repeatable."),
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="Number of draws of each metric from its interval.")] = 1_000,
    seed: Seed = 20_260_101,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the standings to this file.")] = None,
    chart: Annotated[Path | None, typer.Option(help="Draw the first two axes into this file, .svg or .png.")] = None,
    quiet: Quiet = False,
) -> None:
    """Find the Pareto frontier of candidates.

    A candidate is on the frontier, dominated, or ambiguous, if the intervals of its metrics allow both.
    """
    from weighbridge.api.choosing import pareto as weighed

    with errors_as_exits(writes=(json_file, chart), keeps=(chart,)):
        result = weighed(candidates_from(candidates), axis=axis or (), draws=draws, seed=seed, chart=chart)
        output(result, json_file, is_quiet=quiet)


def recommend(  # noqa: PLR0913 -- each is an option of the command line
    candidates: CandidatesArgument,
    max_p95_ms: Annotated[float | None, typer.Option(help="Maximum p95 latency in milliseconds.")] = None,
    max_size_mb: Annotated[float | None, typer.Option(help="Maximum file size in megabytes (1,000,000 bytes).")] = None,
    min_accuracy: Annotated[float | None, typer.Option(help="Minimum accuracy, 0 to 1.")] = None,
    limit: Annotated[
        list[str] | None, typer.Option(help="Another limit, like peak_memory_mb<=200; repeatable.")
    ] = None,
    quality: Annotated[str, typer.Option(help="The metric of model quality.")] = "accuracy",
    margin: Annotated[
        float, typer.Option(help="Acceptable quality loss for a cheaper model: 0.01 is one point.")
    ] = 0.01,
    load: Annotated[
        list[Path] | None, typer.Option(help="Load test result for the load curve; give two or more.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the page (HTML, Markdown, PDF) and its charts.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the recommendation to this file.")] = None,
    quiet: Quiet = False,
) -> None:
    """Recommend a candidate under limits, with reasons.

    The recommendation also has costs, and says what would change the choice, and what is unknown.
    """
    from weighbridge.api.choosing import recommend as recommended

    with errors_as_exits(writes=(json_file,), keeps=(out,)):
        result = recommended(
            candidates_from(candidates),
            max_p95_ms=max_p95_ms,
            max_size_mb=max_size_mb,
            min_accuracy=min_accuracy,
            limit=limit or (),
            quality=quality,
            margin=margin,
            load=load or (),
            out=out,
        )
        output(result, json_file, is_quiet=quiet)
    raise typer.Exit(DONE if result["winner"] else NO)


def portfolio(
    problem: Annotated[Path, typer.Argument(help="The problem, a JSON file of `weighbridge.portfolio/1`.")],
    seconds: Annotated[
        float, typer.Option(help="About how long to search, in processor time.", min=0, max=3_600)
    ] = 6.0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the choice to this file.")] = None,
    quiet: Quiet = False,
) -> None:
    """Choose one variant of each model, within uncertain budgets.

    The expected net value is as high as it can be. Says what binds, what more budget is worth, and what would make an
    impossible problem possible.
    """
    from weighbridge.api.choosing import portfolio as chosen

    with errors_as_exits(writes=(json_file,)):
        with standard_output_aside():
            result = chosen(problem, seconds=seconds)
        output(result, json_file, is_quiet=quiet)
    raise typer.Exit(DONE if result["holds"] else NO)


@contextmanager
def standard_output_aside() -> Iterator[None]:
    """Send what a library prints to standard output to standard error: the solver prints notes past Python."""
    sys.stdout.flush()
    kept = os.dup(1)
    try:
        os.dup2(2, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
