"""`weighbridge profile`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from weighbridge.cli import target as subject
from weighbridge.cli.exits import DONE, INTERRUPTED, NO, UNCLEAR, give, refusals_told, stop
from weighbridge.cli.watching import watching

if TYPE_CHECKING:
    from weighbridge.systems.sandbox.process import RunEnded


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
    optimization: subject.OptimizationOption = "all",
    inter_op_threads: subject.InterOption = 1,
    affinity: subject.AffinityOption = "",
    torch: subject.TorchOption = "",
    shape: subject.ShapeOption = "",
    compiled: subject.CompileOption = False,
    bfloat16: subject.Bfloat16Option = False,
    http: subject.HttpOption = "",
    system: subject.SystemOption = "",
    option: subject.OptionOption = None,
    trust: subject.TrustOption = False,
    operators: Annotated[bool, typer.Option(help="Say which operators the time goes to.")] = True,
    tdp_w: Annotated[float | None, typer.Option(help="Nominal watts of the processors: estimates energy.")] = None,
    json_file: subject.JsonOption = None,
    quiet: subject.QuietOption = False,
) -> None:
    """Measure what a model costs in time and memory, and how good it is on a data set."""
    from weighbridge.api.profiling import profile as measured
    from weighbridge.systems.sandbox.process import RunEnded

    with refusals_told(interrupted="Interrupted; the run was stopped and left no result."):
        target = subject.target_from(
            model=model,
            torch=subject.torch_target(torch, shape, is_compiled=compiled, is_bfloat16=bfloat16),
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
                    provider_options=dict(subject.pairs_from(provider_option, field="provider_option")),
                    optimization=optimization,
                    inter_op_threads=inter_op_threads,
                    affinity=subject.numbers_from(affinity, field="affinity"),
                    trust=trust,
                    operators=operators,
                    tdp_w=tdp_w,
                    watcher=watcher,
                )
        except RunEnded as ended:
            _stop_early(ended, json_file, is_quiet=quiet)
        give(result, json_file, is_quiet=quiet)
    raise typer.Exit(NO if result["verdict"]["status"] == "invalid" else DONE)


def _stop_early(ended: "RunEnded", json_file: Path | None, *, is_quiet: bool) -> NoReturn:
    """Keep what was measured until then, and end."""
    from weighbridge.api.profiling import profile_result
    from weighbridge.systems.sandbox.process import RunCanceled

    if ended.partial is not None:
        give(profile_result(ended.partial), json_file, is_quiet=is_quiet)
    kept = " What was measured until then is kept, marked as partial." if ended.partial else ""
    stop(ended.reason + kept, code=INTERRUPTED if isinstance(ended, RunCanceled) else UNCLEAR)
