"""`weighbridge experiment`."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli import results
from weighbridge.cli.exits import errors_as_exits, output
from weighbridge.cli.option_rules import NotWith
from weighbridge.cli.target_options import JsonOption, QuietOption


def experiment(  # noqa: PLR0913 -- every option of the command line
    units: Annotated[
        Path | None,
        typer.Argument(help="Table with a row for each unit: .parquet, .csv, .jsonl or .npz.", show_default=False),
    ] = None,
    control: Annotated[str, typer.Option(help="Successes/units of the control, like 1000/20000.")] = "",
    treatment: Annotated[str, typer.Option(help="Successes/units of the treatment.")] = "",
    unit: Annotated[str, typer.Option(help="Column of the unit, like a user."), NotWith("--control")] = "unit",
    arm: Annotated[str, typer.Option(help="Column of the arm."), NotWith("--control")] = "arm",
    outcome: Annotated[str, typer.Option(help="Column of the outcome."), NotWith("--control")] = "outcome",
    covariate: Annotated[
        str, typer.Option(help="Column known before the experiment; makes intervals narrower."), NotWith("--control")
    ] = "",
    control_arm: Annotated[str, typer.Option(help="Name of the arm that is the control."), NotWith("--control")] = "",
    sum_outcomes: Annotated[
        bool, typer.Option("--sum-outcomes", help="Add up the outcomes of a unit."), NotWith("--control")
    ] = False,
    share: Annotated[float, typer.Option(help="Intended share of treated units.")] = 0.5,
    planned_units: Annotated[
        int, typer.Option(help="Planned units of both arms, set before the first look; tunes the interval.")
    ] = 10_000,
    confidence: Annotated[float, typer.Option(help="Confidence level of the intervals, 0 to 1.")] = 0.95,
    power: Annotated[float, typer.Option(help="Probability with which the next test finds a change.")] = 0.8,
    detect: Annotated[float | None, typer.Option(help="Relative change that the next test is to find.")] = None,
    fail_if: results.FailIfOption = None,
    junit: results.JunitOption = None,
    markdown: results.MarkdownOption = None,
    json_file: JsonOption = None,
    quiet: QuietOption = False,
) -> None:
    """Compare the outcomes of a control and a treatment.

    The change of the business metric has an interval that holds however often you look, and is void if units were not
    assigned as intended.
    """
    from weighbridge.api.experiment import experiment as compared

    checks = results.Checks(fail_if, None, junit, markdown)
    with errors_as_exits(writes=(json_file, *checks.files)):
        checks.check_form()
        result = compared(
            units,
            control=control,
            treatment=treatment,
            unit=unit,
            arm=arm,
            outcome=outcome,
            covariate=covariate,
            control_arm=control_arm,
            sum_outcomes=sum_outcomes,
            share=share,
            planned_units=planned_units,
            confidence=confidence,
            power=power,
            detect=detect,
        )
        output(result, json_file, is_quiet=quiet, beside=checks.files)
    results.exit_with(result, checks, is_quiet=quiet, beside=(json_file,))
