"""`weighbridge profile`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from weighbridge.cli import target as subject
from weighbridge.cli.exits import DONE, INTERRUPTED, NO, UNCLEAR, stop, write_json
from weighbridge.core.errors import Invalid, Refused

if TYPE_CHECKING:
    from weighbridge.measure.scenarios import ProfileSettings, Scenario


SamplesOption = Annotated[int | None, typer.Option(help="Least number of timed queries. [default: the scenario's]")]


def profile(  # noqa: PLR0913 -- every option of the command line
    model: subject.ModelArgument = None,
    data: subject.DataOption = None,
    scenario: Annotated[str, typer.Option(help="single-stream, multi-stream, offline or server.")] = "single-stream",
    samples: SamplesOption = None,
    batch: Annotated[int, typer.Option(help="Rows in a query, for multi-stream and offline.")] = 8,
    concurrency: Annotated[int, typer.Option(help="Queries under way, for offline.")] = 1,
    rate: Annotated[float, typer.Option(help="Queries per second, for server.")] = 10.0,
    limit_ms: Annotated[float | None, typer.Option(help="Limit of p99, for server: say whether it is met.")] = None,
    threads: subject.ThreadsOption = 1,
    wall: subject.WallOption = 600.0,
    provider: subject.ProviderOption = "cpu",
    provider_option: subject.ProviderOptionsOption = None,
    optimisation: subject.OptimisationOption = "all",
    inter_op_threads: subject.InterOption = 1,
    affinity: subject.AffinityOption = "",
    torch: subject.TorchOption = "",
    shape: subject.ShapeOption = "",
    compiled: subject.CompileOption = False,
    bfloat16: subject.Bfloat16Option = False,
    http: subject.HttpOption = "",
    trust: subject.TrustOption = False,
    operators: Annotated[bool, typer.Option(help="Say which operators the time goes to.")] = True,
    tdp_w: Annotated[float | None, typer.Option(help="Nominal watts of the processors: estimates energy.")] = None,
    json_file: subject.JsonOption = None,
    quiet: subject.QuietOption = False,
) -> None:
    """Measure what a model costs in time and memory, and how good it is on a data set."""
    from weighbridge.measure import scenarios
    from weighbridge.systems.fence import RunCancelled, RunEnded

    try:
        target = subject.Target(
            model=model,
            url=http,
            data=data,
            wall_s=wall,
            is_trusted=trust,
            torch=subject.torch_target(torch, shape, is_compiled=compiled, is_bfloat16=bfloat16),
        )
        engine = subject.engine_from(
            provider=provider,
            options=provider_option,
            optimisation=optimisation,
            inter_op_threads=inter_op_threads,
            affinity=affinity,
        )
        wanted = scenario_from(scenario, samples, threads, batch, concurrency, rate, limit_ms)
        settings = scenarios.ProfileSettings(scenario=wanted, engine=engine, tdp_w=tdp_w)
        with subject.sitting(target, is_quiet=quiet) as terminal:
            result = _measured(terminal, settings, with_operators=operators)
        _keep(result, json_file, is_quiet=quiet)
    except RunEnded as ended:
        kept = _keep_part(ended.partial, json_file, is_quiet=quiet)
        stop(ended.reason + kept, code=INTERRUPTED if isinstance(ended, RunCancelled) else UNCLEAR)
    except Refused as refused:
        stop(refused.reason)
    except KeyboardInterrupt:
        stop("Interrupted; the run was stopped and left no result.", code=INTERRUPTED)
    raise typer.Exit(NO if result["verdict"]["status"] == "invalid" else DONE)


def _measured(terminal: subject.Terminal, settings: "ProfileSettings", *, with_operators: bool) -> dict[str, Any]:
    result = terminal.run(settings, terminal.say)
    return _with_operators(result, terminal, settings) if with_operators else result


def _with_operators(result: dict[str, Any], terminal: subject.Terminal, settings: "ProfileSettings") -> dict[str, Any]:
    """Add where the time goes; who interrupts that keeps the result without it."""
    from weighbridge.systems.fence import RunCancelled

    try:
        found = terminal.operators(settings)
    except RunCancelled as cancelled:
        cancelled.partial = result | {"is_partial": True, "operators": None}
        raise
    return result | {"operators": found["operators"], "missing": [*result["missing"], *found["missing"]]}


def scenario_from(
    name: str, samples: int | None, threads: int, batch: int, concurrency: int, rate: float, limit_ms: float | None
) -> "Scenario":
    """Return the scenario asked for, with MLPerf's name or ours for the command line; raise Invalid."""
    from weighbridge.measure.scenarios import MultiStream, Offline, Server, SingleStream

    common: dict[str, Any] = {"threads": threads, **({"min_samples": samples} if samples is not None else {})}
    match name.lower().replace("-", ""):
        case "singlestream":
            return SingleStream(**common)
        case "multistream":
            return MultiStream(**common, samples_per_query=batch)
        case "offline":
            return Offline(**common, batch=batch, concurrency=concurrency)
        case "server":
            return Server(**common, rate_per_s=rate, limit_ms=limit_ms)
    text = f"There is no scenario {name!r}; only single-stream, multi-stream, offline and server."
    raise Invalid(text, field="scenario")


def _keep(result: dict[str, Any], json_file: Path | None, *, is_quiet: bool) -> None:
    from weighbridge.cli.tables.terminal import show_operators, show_result

    if json_file is not None:
        write_json(json_file, result)
    if not is_quiet:
        show_result(result, sys.stdout)
        show_operators(result.get("operators"), sys.stdout)


def _keep_part(partial: dict[str, Any] | None, json_file: Path | None, *, is_quiet: bool) -> str:
    """Keep what was measured before the end, and say so; say nothing where there is nothing."""
    if partial is None:
        return ""
    try:
        _keep(partial, json_file, is_quiet=is_quiet)
    except Refused as refused:
        stop(refused.reason)
    return " What was measured until then is kept, marked as partial."
