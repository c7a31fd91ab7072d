"""`weighbridge answers`: the quality of answers of language models, cheaper alternatives, how many prompts to ask."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli import results
from weighbridge.cli.costs.prices import Day, Fx, Rates, Sheets
from weighbridge.cli.exits import errors_as_exits, output
from weighbridge.cli.option_rules import Needs
from weighbridge.cli.target_options import JsonOption, QuietOption


def score_answers(  # noqa: PLR0913 -- every option of the command line
    prompts: Annotated[Path, typer.Option(help="Prompts, one JSON object a line.", show_default=False)],
    answers: Annotated[Path, typer.Option(help="Answers to them, one JSON object a line.", show_default=False)],
    baseline: Annotated[Path | None, typer.Option(help="Answers of another model to the same prompts.")] = None,
    margin: Annotated[
        float | None, typer.Option(help="Difference of pass rates that does not matter."), Needs("--baseline")
    ] = None,
    planned_prompts: Annotated[
        int | None,
        typer.Option(help="Planned prompts (or clusters), set before the first look; tells when to stop."),
        Needs("--baseline"),
    ] = None,
    judge: Annotated[Path | None, typer.Option(help="Verdicts of a judge, one JSON object a line.")] = None,
    labels: Annotated[
        Path | None, typer.Option(help="Labels of people on a random part of the answers."), Needs("--judge")
    ] = None,
    baseline_judge: Annotated[
        Path | None, typer.Option(help="Verdicts on the baseline, of the same judge."), Needs("--baseline")
    ] = None,
    baseline_labels: Annotated[
        Path | None, typer.Option(help="Labels of people on the baseline."), Needs("--baseline-judge")
    ] = None,
    refusals: Annotated[Path | None, typer.Option(help='Patterns of refusals: {"patterns": [REGEX, …]}.')] = None,
    slice_name: Annotated[
        list[str] | None, typer.Option("--slice", help="Slice of the prompts; all by default; repeatable.")
    ] = None,
    confidence: Annotated[float, typer.Option(help="Confidence level of the intervals, 0 to 1.")] = 0.95,
    min_prompts: Annotated[int, typer.Option(help="Prompts below which a slice has no pass rate.")] = 30,
    seed: Annotated[int, typer.Option(help="Seed of the bootstrap.")] = 20_260_101,
    fail_if: results.FailIfOption = None,
    junit: results.JunitOption = None,
    markdown: results.MarkdownOption = None,
    json_file: JsonOption = None,
    quiet: QuietOption = False,
) -> None:
    """Score answers of a language model with the scorers of their prompts.

    Also by slices, over repeated attempts, against another model, and with a judge that people calibrate. Exits 1 if
    the model is worse than the baseline, or the answers are no evidence.
    """
    from weighbridge.api.scoring import score_answers as scored

    checks = results.Checks(fail_if, None, junit, markdown)
    with errors_as_exits(writes=(json_file, *checks.files)):
        checks.check_form()
        result = scored(
            prompts,
            answers,
            baseline=baseline,
            judge=judge,
            labels=labels,
            baseline_judge=baseline_judge,
            baseline_labels=baseline_labels,
            refusals=refusals,
            margin=margin,
            planned_prompts=planned_prompts,
            slices=slice_name or (),
            confidence=confidence,
            min_prompts=min_prompts,
            seed=seed,
        )
        output(result, json_file, is_quiet=quiet, beside=checks.files)
    compared = [entry for entry in (result["comparison"] or {}).values() if entry is not None]
    is_worse = any(entry["answer"] == "worse" for entry in compared)
    results.exit_with(result, checks, is_quiet=quiet, is_refused=is_worse, beside=(json_file,))


def prompts_needed(  # noqa: PLR0913 -- every option of the command line
    difference: Annotated[float, typer.Option(help="Difference of pass rates to find, like 0.02.", show_default=False)],
    disagreement: Annotated[float, typer.Option(help="Share of prompts on which the models disagree.")] = 0.2,
    pass_rate: Annotated[float, typer.Option(help="Pass rate of the better model, for different prompts.")] = 0.8,
    cluster_size: Annotated[float, typer.Option(help="Prompts of a cluster.")] = 1.0,
    icc: Annotated[float, typer.Option(help="Correlation of the prompts of a cluster, 0 to 1.")] = 0.0,
    power: Annotated[float, typer.Option(help="Probability with which the difference is found.")] = 0.8,
    confidence: Annotated[float, typer.Option(help="Confidence level of the interval, 0 to 1.")] = 0.95,
    json_file: JsonOption = None,
    quiet: QuietOption = False,
) -> None:
    """Plan how many prompts a comparison of two models needs."""
    from weighbridge.api.scoring import prompts_needed as planned

    with errors_as_exits(writes=(json_file,)):
        result = planned(
            difference,
            disagreement=disagreement,
            pass_rate=pass_rate,
            cluster_size=cluster_size,
            icc=icc,
            power=power,
            confidence=confidence,
        )
        output(result, json_file, is_quiet=quiet)


def alternatives(  # noqa: PLR0913 -- every option of the command line
    plan: Annotated[
        Path, typer.Argument(help="YAML file with the prompts, the margin, the baseline and its alternatives.")
    ],
    confidence: Annotated[float, typer.Option(help="Confidence level of the intervals, 0 to 1.")] = 0.95,
    draws: Annotated[int, typer.Option(help="Number of draws of the costs.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Seed of the draws, and of the halves of a cascade.")] = 20_260_101,
    lists: Sheets = None,
    rates: Rates = None,
    fx: Fx = None,
    on: Day = None,
    fail_if: results.FailIfOption = None,
    junit: results.JunitOption = None,
    markdown: results.MarkdownOption = None,
    json_file: JsonOption = None,
    quiet: QuietOption = False,
) -> None:
    """Compare cheaper alternatives to a language model on the same prompts.

    A smaller, quantized or fine-tuned model, a shorter prompt, a cache of prompts, a batch tier, a cascade of two
    models: each with the difference of its pass rate and what an accepted answer costs. Exits 1 if none is evidence.
    """
    from weighbridge.api.scoring import answer_alternatives

    checks = results.Checks(fail_if, None, junit, markdown)
    with errors_as_exits(writes=(json_file, *checks.files)):
        checks.check_form()
        result = answer_alternatives(
            plan,
            confidence=confidence,
            draws=draws,
            seed=seed,
            lists=lists or (),
            rates=rates,
            fx=fx,
            on=on,
        )
        output(result, json_file, is_quiet=quiet, beside=checks.files)
    results.exit_with(result, checks, is_quiet=quiet, beside=(json_file,))


COMMANDS: Mapping[str, Callable[..., None]] = {
    "score": score_answers,
    "alternatives": alternatives,
    "prompts-needed": prompts_needed,
}
