"""`weighbridge`: the toolkit as a command line.

All commands use the same exit codes: 0 yes or done; 1 no (an invalid measurement, a refusal); 2 bad input, or no
answer possible; 130 interrupted, with a partial result where possible. Commands import heavy libraries only when they
need them, so that `--help` is fast.
"""

import io
import os
import sys
from collections.abc import Callable, Mapping
from typing import Annotated

import typer

from weighbridge.cli import feed, results
from weighbridge.cli.choosing import decide, learning_curve, pareto, portfolio, recommend
from weighbridge.cli.costs import cost, language, prices
from weighbridge.cli.exits import CarefulCommand
from weighbridge.cli.measure import answers
from weighbridge.cli.measure.compare import compare
from weighbridge.cli.measure.device import device
from weighbridge.cli.measure.experiment import experiment
from weighbridge.cli.measure.load import load
from weighbridge.cli.measure.max_rate import max_rate
from weighbridge.cli.measure.optimize import optimize
from weighbridge.cli.measure.profile import profile
from weighbridge.cli.measure.rerun import rerun
from weighbridge.cli.measure.score import score
from weighbridge.cli.measure.size import size_replicas
from weighbridge.cli.measure.sweep import sweep
from weighbridge.cli.measure.worker import worker
from weighbridge.cli.prepare_data import prepare_data
from weighbridge.cli.server import attach, create, gate, sync
from weighbridge.cli.subjects.fit import fit
from weighbridge.cli.subjects.manifest import manifest
from weighbridge.cli.tracking import import_results, import_runs, track
from weighbridge.client.drafts.command import draft
from weighbridge.client.integrations.admission.command import admission
from weighbridge.client.integrations.mlflow.command import from_mlflow
from weighbridge.client.usage.command import usage_report
from weighbridge.client.workloads.command import report

app = typer.Typer(
    help=(
        "Measure models, estimate their costs, and check whether they may be deployed.\n\n"
        "Exit codes: 0 yes or done, 1 no (invalid measurement, refused), 2 bad input or cannot tell, 130 interrupted."
    ),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        from importlib import metadata

        typer.echo(f"weighbridge {metadata.version('weighbridge')}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Take the options that need no command."""


MEASURE = (prepare_data, profile, device, compare, score, experiment, rerun, sweep, max_rate, load, optimize)
CHOOSE = (pareto, recommend, decide, portfolio, learning_curve)
for command in (*MEASURE, *CHOOSE, gate, admission, track, import_runs, manifest, fit, worker):
    app.command(cls=CarefulCommand)(command)
app.command("import", cls=CarefulCommand)(import_results)
app.command("size", cls=CarefulCommand)(size_replicas)


def add_group(name: str, text: str, commands: Mapping[str, Callable[..., None]]) -> None:
    """Add commands under a name of their own."""
    group = typer.Typer(help=text, no_args_is_help=True, rich_markup_mode=None)
    for command_name, command in commands.items():
        group.command(command_name, cls=CarefulCommand)(command)
    app.add_typer(group, name=name)


add_group(
    "request",
    "Model review requests.",
    {"create": create, "draft": draft, "attach": attach, "from-mlflow": from_mlflow, "sync": sync},
)
add_group("feed", "The feed of standings, which every gate reads.", feed.COMMANDS)
add_group("workloads", "What runs in clusters, compared with what is authorized.", {"report": report})
add_group(
    "usage",
    "Requests, tokens and money of language models.",
    {"report": usage_report},
)
add_group("result", "Results: conditions on their metrics, and signatures.", results.COMMANDS)
add_group("answers", "The quality of answers of language models.", answers.COMMANDS)
add_group("prices", "The price book: prices with their day and source.", prices.COMMANDS)
add_group("cost", "Costs and value of models.", {**cost.COMMANDS, **language.COMMANDS})


def main() -> None:
    """Run the command line."""
    # Must be set before any engine is loaded, here and in every child process.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A character that the terminal does not know must not end a command after a long run.
            stream.reconfigure(errors="backslashreplace")
    app(prog_name="weighbridge")
