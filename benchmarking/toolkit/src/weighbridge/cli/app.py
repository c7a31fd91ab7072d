"""`weighbridge`: the toolkit as a command line.

All commands use the same exit codes: 0 yes or done; 1 no (an invalid measurement, a refusal); 2 bad input, or no
answer possible; 130 interrupted, with a partial result where possible. Commands import heavy libraries only when they
need them, so that `--help` is fast.
"""

import os

import typer

from weighbridge.cli.choose.decide import decide
from weighbridge.cli.choose.learning_curve import learning_curve
from weighbridge.cli.choose.pareto import pareto
from weighbridge.cli.choose.recommend import recommend
from weighbridge.cli.costs import cost
from weighbridge.cli.costs.prices import disagreements, import_list, list_prices, pin, replay, show
from weighbridge.cli.measure.compare import compare
from weighbridge.cli.measure.load import load
from weighbridge.cli.measure.max_rate import max_rate
from weighbridge.cli.measure.optimize import optimize
from weighbridge.cli.measure.profile import profile
from weighbridge.cli.measure.rerun import rerun
from weighbridge.cli.measure.sweep import sweep
from weighbridge.cli.score import score
from weighbridge.cli.server.gate import gate
from weighbridge.cli.server.request import create
from weighbridge.cli.tracking.import_runs import import_runs
from weighbridge.cli.tracking.track import track

app = typer.Typer(
    help=(
        "Weigh a model before it goes on the road.\n\n"
        "Exit codes: 0 yes or done, 1 no (invalid measurement, refused), 2 bad input or cannot tell, 130 interrupted."
    ),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
request = typer.Typer(help="Model review requests.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(request, name="request")
prices = typer.Typer(
    help="The price book: prices with their day and source.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(prices, name="prices")

app.command()(profile)
app.command()(compare)
app.command()(score)
app.command()(rerun)
app.command()(sweep)
app.command("max-rate")(max_rate)
app.command()(load)
app.command()(optimize)
app.command()(pareto)
app.command()(recommend)
app.command()(decide)
app.command("learning-curve")(learning_curve)
app.command()(gate)
app.command()(track)
app.command("import-runs")(import_runs)
cost.register(app)
request.command()(create)
prices.command("list")(list_prices)
prices.command()(show)
prices.command("import")(import_list)
prices.command()(disagreements)
prices.command()(pin)
prices.command()(replay)


def main() -> None:
    """Run the command line."""
    # Must be set before any engine is loaded, here and in every child process.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    app(prog_name="weighbridge")
