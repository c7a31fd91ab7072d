"""`weighbridge`: the toolkit at the terminal and in a pipeline.

Exit codes, the same for every command: 0 yes or done; 1 no (an invalid measurement, a refusal); 2 bad input, or it
could not be told; 130 interrupted, with what was measured kept where it can be. Heavy libraries are imported by the
command that needs them, so that `--help` is quick.
"""

import os

import typer

from benchmarking.toolkit.commands import cost
from benchmarking.toolkit.commands.compare import compare
from benchmarking.toolkit.commands.decide import decide
from benchmarking.toolkit.commands.example import fraud_api, product_images
from benchmarking.toolkit.commands.gate import gate
from benchmarking.toolkit.commands.import_runs import import_runs
from benchmarking.toolkit.commands.learning_curve import learning_curve
from benchmarking.toolkit.commands.load import load
from benchmarking.toolkit.commands.max_rate import max_rate
from benchmarking.toolkit.commands.optimise import optimise
from benchmarking.toolkit.commands.pareto import pareto
from benchmarking.toolkit.commands.prices import disagreements, import_list, list_prices, pin, replay, show
from benchmarking.toolkit.commands.profile import profile
from benchmarking.toolkit.commands.recommend import recommend
from benchmarking.toolkit.commands.request import create
from benchmarking.toolkit.commands.rerun import rerun
from benchmarking.toolkit.commands.sweep import sweep
from benchmarking.toolkit.commands.track import track

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
    help="The price book: what things cost, since when, and who says so.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(prices, name="prices")
example = typer.Typer(help="Whole cases, from the data to the choice.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(example, name="example")

app.command()(profile)
app.command()(compare)
app.command()(rerun)
app.command()(sweep)
app.command("max-rate")(max_rate)
app.command()(load)
app.command()(optimise)
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
example.command("product-images")(product_images)
example.command("fraud-api")(fraud_api)


def main() -> None:
    """Run the command line."""
    # Set before any engine is loaded, here and in every child.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    app(prog_name="weighbridge")
