"""`weighbridge cost`: what training and serving cost, what answers are worth, and options side by side."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from weighbridge.api.documents import read_json, write_json
from weighbridge.cli.costs.prices import Day as On
from weighbridge.cli.costs.prices import Fx, Rates, Sheets
from weighbridge.cli.exits import DONE, give, refusals_told, stop
from weighbridge.core.errors import Invalid, Refused
from weighbridge.costs.prices.chosen_book import book_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Inputs = Annotated[
    list[str],
    typer.Argument(help="NAME=VALUE; a range is LOW..HIGH, a price may be a SKU like aws/us-east-1/g5.xlarge."),
]
Json = Annotated[Path | None, typer.Option("--json", help="Write the result to this file.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
Seed = Annotated[int | None, typer.Option(help="Seed of the draws.")]
Draws = Annotated[int | None, typer.Option(help="How many draws.", min=100, max=100_000)]


def training(inputs: Inputs, json_file: Json = None, quiet: Quiet = False, on: On = None) -> None:
    """Say what training costs: gpu_hours=80..150 usd_per_gpu_h=aws/us-east-1/p4d.24xlarge trials=20 trial_share=0.3."""
    _calculate("training", inputs, json_file, is_quiet=quiet, on=on)


def serving(inputs: Inputs, json_file: Json = None, quiet: Quiet = False, on: On = None) -> None:
    """Say what a year of own replicas costs: requests_per_year=2e9 service_s=0.12 limit_s=0.5 slots=4
    usd_per_replica_h=1.
    """
    _calculate("serving", inputs, json_file, is_quiet=quiet, on=on)


def managed(inputs: Inputs, json_file: Json = None, quiet: Quiet = False, on: On = None) -> None:
    """Say what a year of calls costs: requests_per_year=1e6 input_tokens=900 prices.input_usd=0.15
    prices.output_usd=0.6.
    """
    _calculate("managed", inputs, json_file, is_quiet=quiet, on=on)


def tco(inputs: Inputs, json_file: Json = None, quiet: Quiet = False, on: On = None) -> None:
    """Say what owning costs over years: development_usd=80000..120000 serving_usd=26000 years=3 maintenance_fte=0.5."""
    _calculate("tco", inputs, json_file, is_quiet=quiet, on=on)


def value(inputs: Inputs, json_file: Json = None, quiet: Quiet = False, on: On = None) -> None:
    """Say whether better answers pay: recall=0.8 recall_after=0.85 extra_cost_usd=200000
    stakes.cases_per_year=1e7 ...
    """
    _calculate("value", inputs, json_file, is_quiet=quiet, on=on)


def lock_in(inputs: Inputs, json_file: Json = None, quiet: Quiet = False, on: On = None) -> None:
    """Say what leaving costs: rework_hours=80..200 code_hours=60 engineer_usd_per_h=100 termination_usd=5000."""
    _calculate("lock-in", inputs, json_file, is_quiet=quiet, on=on)


def project(  # noqa: PLR0913 -- each is an option of the command line
    spec: Annotated[Path, typer.Argument(help="Spec file, as `weighbridge cost template` prints one.")],
    json_file: Json = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the page (HTML, Markdown, PDF) and its charts.")] = None,
    seed: Seed = None,
    draws: Draws = None,
    lists: Sheets = None,
    rates: Rates = None,
    fx: Fx = None,
    on: On = None,
    quiet: Quiet = False,
) -> None:
    """Project options side by side on one load curve, each metric with its range, and say which is cheapest
    how likely.
    """
    from weighbridge.api.costing import project_costs

    with refusals_told():
        result = project_costs(spec, seed=seed, draws=draws, lists=lists or (), rates=rates, fx=fx, on=on, out=out)
        give(result, json_file, is_quiet=quiet)
    raise typer.Exit(DONE)


def compare(
    before: Annotated[Path, typer.Argument(help="A projection, as `weighbridge cost project --json` writes it.")],
    after: Annotated[Path, typer.Argument(help="The projection to compare it with.")],
    json_file: Json = None,
    quiet: Quiet = False,
) -> None:
    """Say what moved between two projections: metrics, inputs, prices."""
    from weighbridge.costs.changes import changes, sentences

    try:
        found = changes(read_json(before), read_json(after))
        if json_file is not None:
            write_json(json_file, found)
    except Refused as refused:
        stop(refused.reason)
    if not quiet:
        typer.echo("\n".join(sentences(found)))
    raise typer.Exit(DONE)


def template(
    out: Annotated[Path | None, typer.Option(help="Write it to this file instead of printing it.")] = None,
) -> None:
    """Print a spec file that shows every part, to be changed."""
    from importlib.resources import files

    text = files("weighbridge.costs").joinpath("template.yaml").read_text(encoding="utf-8")
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        stop(f"{out} cannot be written: {error.strerror}.")


def register(app: typer.Typer) -> None:
    """Add `weighbridge cost` and its commands."""
    group = typer.Typer(help="What models cost and what they are worth.", no_args_is_help=True, rich_markup_mode=None)
    commands: Mapping[str, Callable[..., None]] = {
        "training": training,
        "serving": serving,
        "managed": managed,
        "tco": tco,
        "value": value,
        "lock-in": lock_in,
        "project": project,
        "compare": compare,
        "template": template,
    }
    for name, command in commands.items():
        group.command(name)(command)
    app.add_typer(group, name="cost")


def _calculate(name: str, pairs: list[str], json_file: Path | None, *, is_quiet: bool, on: str | None) -> None:
    from weighbridge.costs.calculators import calculate

    try:
        found = calculate(name, read_pairs(pairs), book_of(None, None, None, on))
        if json_file is not None:
            write_json(json_file, found)
    except Refused as refused:
        stop(refused.reason)
    if not is_quiet:
        from weighbridge.cli.tables.cost_table import calculation_parts
        from weighbridge.cli.tables.terminal import show

        show(calculation_parts(found), sys.stdout)
    raise typer.Exit(DONE)


def read_pairs(pairs: list[str]) -> dict[str, Any]:
    """Return `a.b=1..2` as nested mappings; raise Invalid for what is no pair."""
    document: dict[str, Any] = {}
    for pair in pairs:
        path, is_pair, text = pair.partition("=")
        if not is_pair or not path or not text:
            raise Invalid(f"{pair!r} is no NAME=VALUE.", field=path or None)
        *outer, last = path.split(".")
        inner = document
        for name in outer:
            inner = inner.setdefault(name, {})
            if not isinstance(inner, dict):
                raise Invalid(f"{path} stands inside of something that has a value already.", field=path)
        inner[last] = _spoken(text)
    return document


def _spoken(text: str) -> Any:
    low, is_range, high = text.partition("..")
    if is_range:
        return [low, high]
    if "/" in text:
        return {"sku": text}
    return int(text) if text.isdecimal() else text
