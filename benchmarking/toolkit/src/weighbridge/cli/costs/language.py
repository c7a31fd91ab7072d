"""`weighbridge cost`: what answers of language models cost, by request, by accepted answer, from an own server."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from weighbridge.cli.costs.cost import Quiet, read_pairs
from weighbridge.cli.costs.prices import Day as On
from weighbridge.cli.costs.prices import Fx, Json, Rates, Sheets
from weighbridge.cli.exits import errors_as_exits, output
from weighbridge.core.errors import Invalid

SEED, DRAWS = 20_260_101, 10_000
Inputs = Annotated[
    list[str] | None,
    typer.Argument(help="NAME=VALUE; a range is LOW..HIGH, a price may be a SKU like aws/us-east-1/g6e.xlarge."),
]
InputFile = Annotated[Path | None, typer.Option("--file", help="YAML file with the inputs instead.")]
Seed = Annotated[int, typer.Option(help="Random seed.", min=0)]
Draws = Annotated[int, typer.Option(help="Number of draws.", min=100, max=100_000)]


def request(  # noqa: PLR0913 -- each is an option of the command line
    model: Annotated[str, typer.Argument(help="Managed model, like openai/gpt-5-mini.")],
    input_tokens: Annotated[int, typer.Option("--input", help="Input tokens, cached and written ones included.")] = 0,
    cached: Annotated[int, typer.Option(help="Input tokens that are read from the cache.")] = 0,
    cache_write: Annotated[int, typer.Option(help="Input tokens written to the cache, for its usual lifetime.")] = 0,
    cache_write_1h: Annotated[
        int, typer.Option("--cache-write-1h", help="Input tokens written to the cache for one hour.")
    ] = 0,
    output_tokens: Annotated[int, typer.Option("--output", help="Output tokens, reasoning included.")] = 0,
    reasoning: Annotated[int, typer.Option(help="Output tokens that are reasoning.")] = 0,
    searches: Annotated[int, typer.Option(help="Web searches.")] = 0,
    also: Annotated[
        list[str] | None, typer.Option(help="Another quantity, like input_audio_tokens=300; repeatable.")
    ] = None,
    tier: Annotated[str, typer.Option(help="standard, batch, flex, priority or fast.")] = "standard",
    lists: Sheets = None,
    rates: Rates = None,
    fx: Fx = None,
    on: On = None,
    json_file: Json = None,
    quiet: Quiet = False,
) -> None:
    """Calculate the exact cost of one request to a managed model.

    Each line has its formula, price, source and date.
    """
    from weighbridge.api.costing import price_request

    stated = {
        "input_tokens": input_tokens,
        "cache_read_tokens": cached,
        "cache_write_tokens": cache_write,
        "cache_write_1h_tokens": cache_write_1h,
        "output_tokens": output_tokens,
        "output_reasoning_tokens": reasoning,
        "web_searches": searches,
    }
    with errors_as_exits(writes=(json_file,)):
        usage = stated | dict(map(_quantity, also or ()))
        result = price_request(model, usage, tier=tier, lists=lists or (), rates=rates, fx=fx, on=on)
        output(result, json_file, is_quiet=quiet)


def _quantity(text: str) -> tuple[str, int]:
    name, is_pair, count = text.partition("=")
    if not is_pair or not count.isdecimal():
        raise Invalid(f"{text!r} is not a quantity like input_audio_tokens=300.", field="also")
    return name, int(count)


def own_or_api(  # noqa: PLR0913 -- each is an option of the command line
    inputs: Inputs = None,
    file: InputFile = None,
    volumes: Annotated[
        list[float] | None, typer.Option("--at", help="Requests per hour to compare at; repeatable.")
    ] = None,
    measured: Annotated[
        Path | None, typer.Option(help="Result of a load test (JSON) with the goodput of the own server.")
    ] = None,
    seed: Seed = SEED,
    draws: Draws = DRAWS,
    lists: Sheets = None,
    rates: Rates = None,
    fx: Fx = None,
    on: On = None,
    json_file: Json = None,
    quiet: Quiet = False,
) -> None:
    """Compare an own server with an API by request and by volume.

    Inputs are like own.usd_per_replica_h=aws/us-east-1/g6e.xlarge own.goodput_per_s=2.2..2.6 own.utilization=0.2..0.5
    api.prices=openai/gpt-5-mini api.input_tokens=600 api.output_tokens=200.
    """
    from weighbridge.api.costing import own_or_api as compare

    with errors_as_exits(writes=(json_file,)):
        given = read_inputs(inputs, file)
        result = compare(
            given,
            volumes_per_h=volumes or (),
            measured=measured,
            seed=seed,
            draws=draws,
            lists=lists or (),
            rates=rates,
            fx=fx,
            on=on,
        )
        output(result, json_file, is_quiet=quiet)


def accepted(  # noqa: PLR0913 -- each is an option of the command line
    inputs: Inputs = None,
    file: InputFile = None,
    runs: Annotated[
        list[str] | None,
        typer.Option(help="Repeated runs of an option, OPTION=FILE.jsonl with the passes of each item; repeatable."),
    ] = None,
    failure_usd: Annotated[
        list[float] | None, typer.Option("--failure-usd", help="Cost of a failure to compare at; repeatable.")
    ] = None,
    seed: Seed = SEED,
    draws: Draws = DRAWS,
    lists: Sheets = None,
    rates: Rates = None,
    fx: Fx = None,
    on: On = None,
    json_file: Json = None,
    quiet: Quiet = False,
) -> None:
    """Compare options by the cost of an accepted answer.

    Inputs are like options.a.call.prices=openai/gpt-5-mini options.a.call.input_tokens=600
    options.a.call.output_tokens=200 options.a.passed=192 options.a.items=240 options.a.tries=3
    options.a.fallback_usd=0.4 options.b.usd_per_try=0.004 options.b.pass_rate=0.9..0.94.
    """
    from weighbridge.api.costing import accepted_answers

    with errors_as_exits(writes=(json_file,)):
        given = read_inputs(inputs, file)
        result = accepted_answers(
            given,
            runs=dict(map(_runs_file, runs or ())),
            failure_usd=failure_usd or (),
            seed=seed,
            draws=draws,
            lists=lists or (),
            rates=rates,
            fx=fx,
            on=on,
        )
        output(result, json_file, is_quiet=quiet)


def read_inputs(pairs: Sequence[str] | None, file: Path | None) -> dict[str, Any] | Path:
    """Return the inputs of the command line, or the file with them; raise Invalid if both or none are given."""
    if (file is None) == (not pairs):
        raise Invalid("Give inputs like NAME=VALUE, or --file with them.", field="inputs")
    return read_pairs(list(pairs or ())) if file is None else file


def _runs_file(text: str) -> tuple[str, Path]:
    name, is_pair, file = text.partition("=")
    if not is_pair or not name or not file:
        raise Invalid(f"{text!r} is not in the form OPTION=FILE.", field="runs")
    return name, Path(file)


COMMANDS: dict[str, Callable[..., None]] = {"request": request, "accepted": accepted, "own-or-api": own_or_api}
