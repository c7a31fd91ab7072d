"""`weighbridge profile`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from weighbridge.cli import target_options
from weighbridge.cli.exits import DONE, INTERRUPTED, NO, UNCLEAR, errors_as_exits, output, stop
from weighbridge.cli.watching import watching

if TYPE_CHECKING:
    from weighbridge.systems.sandbox.process import RunIncomplete


SamplesOption = Annotated[
    int | None, typer.Option(help="Minimum number of timed queries. [default: depends on the scenario]")
]


def profile(  # noqa: PLR0913 -- every option of the command line
    model: target_options.ModelArgument = None,
    data: target_options.DataOption = None,
    scenario: Annotated[str, typer.Option(help="single-stream, multi-stream, offline or server.")] = "single-stream",
    samples: SamplesOption = None,
    batch: Annotated[int, typer.Option(help="Rows per query, for multi-stream and offline.")] = 8,
    concurrency: Annotated[int, typer.Option(help="Concurrent queries, for offline.")] = 1,
    rate: Annotated[float, typer.Option(help="Queries per second, for server.")] = 10.0,
    limit_ms: Annotated[
        float | None, typer.Option(help="Limit of p99 in milliseconds, for server: report whether it is met.")
    ] = None,
    threads: target_options.ThreadsOption = 1,
    wall: target_options.WallOption = 600.0,
    provider: target_options.ProviderOption = "cpu",
    provider_option: target_options.ProviderOptionsOption = None,
    optimization: target_options.OptimizationOption = "all",
    inter_op_threads: target_options.InterOption = 1,
    affinity: target_options.AffinityOption = "",
    torch: target_options.TorchOption = "",
    shape: target_options.ShapeOption = "",
    compiled: target_options.CompileOption = False,
    bfloat16: target_options.Bfloat16Option = False,
    http: target_options.HttpOption = "",
    system: target_options.SystemOption = "",
    option: target_options.OptionOption = None,
    trust: target_options.TrustOption = False,
    operators: Annotated[bool, typer.Option(help="Report the time of each operator.")] = True,
    tdp_w: Annotated[
        float | None, typer.Option(help="Rated power of the processors in watts, to estimate energy.")
    ] = None,
    json_file: target_options.JsonOption = None,
    quiet: target_options.QuietOption = False,
) -> None:
    """Measure latency, throughput and memory of a model, and its quality on a data set."""
    from weighbridge.api.profiling import profile as measured
    from weighbridge.systems.sandbox.process import RunIncomplete

    with errors_as_exits(interrupted="Interrupted; the run was stopped and has no result."):
        target = target_options.target_from(
            model=model,
            torch=target_options.torch_target(torch, shape, is_compiled=compiled, is_bfloat16=bfloat16),
            http=http,
            system=system,
            options=option,
            data=data,
            wall_s=wall,
        )
        try:
            with watching(is_quiet=quiet) as watcher:
                result = measured(
                    target.model,
                    system=target.system,
                    options=target.options,
                    data=data,
                    scenario=scenario,
                    samples=samples,
                    batch=batch,
                    concurrency=concurrency,
                    rate=rate,
                    limit_ms=limit_ms,
                    threads=threads,
                    wall=wall,
                    provider=provider,
                    provider_options=dict(target_options.pairs_from(provider_option, field="provider_option")),
                    optimization=optimization,
                    inter_op_threads=inter_op_threads,
                    affinity=target_options.numbers_from(affinity, field="affinity"),
                    trust=trust,
                    operators=operators,
                    tdp_w=tdp_w,
                    watcher=watcher,
                )
        except RunIncomplete as ended:
            _stop_early(ended, json_file, is_quiet=quiet)
        output(result, json_file, is_quiet=quiet)
    raise typer.Exit(NO if result["verdict"]["status"] == "invalid" else DONE)


def _stop_early(ended: "RunIncomplete", json_file: Path | None, *, is_quiet: bool) -> NoReturn:
    """Save the partial result and exit."""
    from weighbridge.api.profiling import profile_result
    from weighbridge.systems.sandbox.process import RunCanceled

    if ended.partial is not None:
        output(profile_result(ended.partial), json_file, is_quiet=is_quiet)
    note = " The result is partial." if ended.partial else ""
    stop(ended.reason + note, code=INTERRUPTED if isinstance(ended, RunCanceled) else UNCLEAR)
