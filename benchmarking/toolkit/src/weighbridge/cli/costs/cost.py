"""`weighbridge cost`: training and serving costs, the value of better answers, and options side by side."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from weighbridge.api.documents import read_json, write_file, write_json
from weighbridge.api.results import Result
from weighbridge.cli.costs.prices import Day as On
from weighbridge.cli.costs.prices import Fx, Json, Rates, Sheets
from weighbridge.cli.exits import errors_as_exits, output, stream_beside
from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.book_options import book_of

Inputs = Annotated[
    list[str],
    typer.Argument(help="NAME=VALUE; a range is LOW..HIGH, a price may be a SKU like aws/us-east-1/g5.xlarge."),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print errors only.")]

CALCULATORS = {
    "training": """Calculate the cost of training.

    Inputs are like gpu_hours=80..150 usd_per_gpu_h=aws/us-east-1/p4d.24xlarge trials=20 trial_share=0.3.""",
    "serving": """Calculate one year of self-hosted serving.

    Inputs are like requests_per_year=2e9 service_s=0.12 limit_s=0.5 slots=4 usd_per_replica_h=1.""",
    "managed": """Calculate one year of calls to a managed API.

    Inputs are like requests_per_year=1e6 input_tokens=900 prices.input_usd=0.15 prices.output_usd=0.6.""",
    "tco": """Calculate the total cost of ownership.

    Inputs are like development_usd=80000..120000 serving_usd=26000 years=3 maintenance_fte=0.5.""",
    "value": """Calculate whether better answers pay off.

    Inputs are like recall=0.8 recall_after=0.85 extra_cost_usd=200000 stakes.cases_per_year=1e7 ...""",
    "energy": """Calculate the energy of device hours and its carbon.

    Inputs are like device_hours=80..150 watts=700 pue=1.2 kg_per_kwh=0.35 usd_per_kwh=0.12.""",
    "lock-in": """Calculate the cost of switching away.

    Inputs are like rework_hours=80..200 code_hours=60 engineer_usd_per_h=100 termination_usd=5000.""",
}


def calculator(name: str, text: str) -> Callable[..., None]:
    """Return the command of a calculator, with its help text."""

    def command(inputs: Inputs, json_file: Json = None, quiet: Quiet = False, on: On = None) -> None:
        from weighbridge.cli.tables.cost_table import calculation_parts
        from weighbridge.costs.calculators import calculate

        with errors_as_exits(writes=(json_file,)):
            calculation = calculate(name, read_pairs(inputs), book_of(None, None, None, on))
            output(Result(calculation, (), lambda: calculation_parts(calculation)), json_file, is_quiet=quiet)

    command.__doc__ = text
    return command


def project(  # noqa: PLR0913 -- each is an option of the command line
    spec: Annotated[Path, typer.Argument(help="Spec file; `weighbridge cost template` prints an example.")],
    json_file: Json = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the page (HTML, Markdown, PDF) and its charts.")] = None,
    seed: Annotated[int | None, typer.Option(help="Random seed.")] = None,
    draws: Annotated[int | None, typer.Option(help="Number of draws.", min=100, max=100_000)] = None,
    lists: Sheets = None,
    rates: Rates = None,
    fx: Fx = None,
    on: On = None,
    quiet: Quiet = False,
) -> None:
    """Project the costs of options under one load curve.

    Costs are ranges, with the probability that each option is cheapest.
    """
    from weighbridge.api.costing import project_costs

    with errors_as_exits(writes=(json_file,), keeps=(out,)):
        result = project_costs(spec, seed=seed, draws=draws, lists=lists or (), rates=rates, fx=fx, on=on, out=out)
        output(result, json_file, is_quiet=quiet)


def compare(
    before: Annotated[Path, typer.Argument(help="A projection written by `weighbridge cost project --json`.")],
    after: Annotated[Path, typer.Argument(help="The projection to compare it with.")],
    json_file: Json = None,
    quiet: Quiet = False,
) -> None:
    """Show what changed between two projections.

    These are metrics, inputs and prices.
    """
    from weighbridge.costs.changes import changes, sentences

    with errors_as_exits(writes=(json_file,)):
        differences = changes(read_json(before), read_json(after))
        write_json(json_file, differences)
    if not quiet:
        typer.echo("\n".join(sentences(differences)), file=stream_beside(json_file))


def template(
    out: Annotated[Path, typer.Option(help="Write to this file instead of standard output.")] = Path("-"),
) -> None:
    """Print an example spec file that contains every section."""
    from importlib.resources import files

    text = files("weighbridge.costs.spec").joinpath("template.yaml").read_text(encoding="utf-8")
    with errors_as_exits(writes=(out,)):
        write_file(out, text.encode(), field="out")


COMMANDS: dict[str, Callable[..., None]] = {
    **{name: calculator(name, text) for name, text in CALCULATORS.items()},
    "project": project,
    "compare": compare,
    "template": template,
}


def read_pairs(pairs: list[str]) -> dict[str, Any]:
    """Parse `a.b=1..2` into nested mappings; raise Invalid for text that is not NAME=VALUE."""
    document: dict[str, Any] = {}
    for pair in pairs:
        path, is_pair, text = pair.partition("=")
        if not is_pair or not path or not text:
            raise Invalid(f"{pair!r} is not in the form NAME=VALUE.", field=path or None)
        *outer, last = path.split(".")
        inner = document
        for name in outer:
            inner = inner.setdefault(name, {})
            if not isinstance(inner, dict):
                raise Invalid(f"{path} is nested in a name that already has a value.", field=path)
        inner[last] = _parsed_value(text)
    return document


def _parsed_value(text: str) -> Any:
    low, is_range, high = text.partition("..")
    if is_range:
        return [low, high]
    if "/" in text:
        return {"sku": text}
    return int(text) if text.isdecimal() else text
