"""`weighbridge recommend`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from weighbridge.cli.exits import DONE, NO, read_json, stop, write_json
from weighbridge.core.errors import Refused

if TYPE_CHECKING:
    from weighbridge.tradeoff.requirements import Requirements
    from weighbridge.tradeoff.sheets.recommendation_page import Page

MaxP95 = Annotated[float | None, typer.Option("--max-p95-ms", help="Largest p95 latency in milliseconds.")]
MaxSize = Annotated[float | None, typer.Option("--max-size-mb", help="Largest file in megabytes (1,000,000 bytes).")]
MinAccuracy = Annotated[float | None, typer.Option("--min-accuracy", help="Least accuracy, 0 to 1.")]


def recommend(  # noqa: PLR0913 -- each is an option of the command line
    candidates: Annotated[Path, typer.Argument(help="Candidates file, as `weighbridge optimise --json` writes it.")],
    max_p95_ms: MaxP95 = None,
    max_size_mb: MaxSize = None,
    min_accuracy: MinAccuracy = None,
    limit: Annotated[
        list[str] | None, typer.Option(help="Another limit, as peak_memory_mb<=200; more than one.")
    ] = None,
    quality: Annotated[str, typer.Option(help="The figure that says how good a model is.")] = "accuracy",
    margin: Annotated[
        float, typer.Option(help="Quality worth giving up for a cheaper model: 0.01 is one point.")
    ] = 0.01,
    load: Annotated[
        list[Path] | None, typer.Option(help="Result of a load test, for the load curve; two or more.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the page (HTML, Markdown, PDF) and its charts.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the recommendation to this file.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Name the candidate to take under limits, why, what it costs, what would change the choice, and what
    is not known.
    """
    from weighbridge.tradeoff.candidates import read_candidates
    from weighbridge.tradeoff.recommendation import recommend as decide
    from weighbridge.tradeoff.sheets.recommendation_page import page_of

    try:
        choice = read_candidates(candidates)
        wanted = requirements_of(max_p95_ms, max_size_mb, min_accuracy, limit or [], quality, margin)
        found = decide(choice, wanted)
        if json_file is not None:
            write_json(json_file, found.as_document())
        if out is not None:
            _publish(
                out,
                page_of(choice, wanted, title="Which model to take", loads=[read_json(each) for each in load or []]),
            )
    except Refused as refused:
        stop(refused.reason)
    if not quiet:
        sentences = (*found.why, *found.costs, *found.changes, *found.not_known)
        typer.echo("\n".join([found.headline, *(f"- {sentence}" for sentence in sentences)]))
    raise typer.Exit(DONE if found.winner else NO)


def _publish(folder: Path, page: "Page") -> None:
    """Write the page and say on standard error where there is no PDF."""
    from weighbridge.tradeoff.sheets.publishing import publish

    missing = publish(page, folder, name="recommendation")
    if missing is not None:
        typer.echo(f"weighbridge: {missing}", err=True)


def requirements_of(
    max_p95_ms: float | None,
    max_size_mb: float | None,
    min_accuracy: float | None,
    limits: list[str],
    quality: str,
    margin: float,
) -> "Requirements":
    """Put the options together; raise Invalid for a limit that cannot be read."""
    from weighbridge.tradeoff.requirements import Requirements, limits_of

    named = {"latency_p95_ms<=": max_p95_ms, "model_size_mb<=": max_size_mb, "accuracy>=": min_accuracy}
    texts = [f"{words}{bound}" for words, bound in named.items() if bound is not None]
    return Requirements(limits_of([*texts, *limits]), quality, margin)
