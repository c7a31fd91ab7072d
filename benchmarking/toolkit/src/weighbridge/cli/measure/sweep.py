"""`weighbridge sweep`."""

from typing import Annotated

import typer

from weighbridge.cli import target_options
from weighbridge.cli.exits import DONE, INTERRUPTED, NO, UNCLEAR, errors_as_exits, output, stop


def sweep(  # noqa: PLR0913 -- every option of the command line
    model: target_options.ModelArgument = None,
    batch: Annotated[str, typer.Option(help="Batch sizes, separated by commas.")] = "1,2,4,8",
    concurrency: Annotated[str, typer.Option(help="Numbers of concurrent batches, separated by commas.")] = "1",
    samples: Annotated[int, typer.Option(help="Minimum number of timed batches at each point.")] = 400,
    data: target_options.DataOption = None,
    threads: target_options.ThreadsOption = 1,
    wall: target_options.WallOption = 600.0,
    provider: target_options.ProviderOption = "cpu",
    provider_option: target_options.ProviderOptionOption = None,
    affinity: target_options.AffinityOption = "",
    torch: target_options.TorchOption = "",
    shape: target_options.ShapeOption = None,
    compiled: target_options.CompileOption = False,
    bfloat16: target_options.Bfloat16Option = False,
    trust: target_options.TrustOption = False,
    dim: target_options.DimOption = None,
    input_value: target_options.InputOption = None,
    state: target_options.StateOption = None,
    json_file: target_options.JsonOption = None,
    quiet: target_options.QuietOption = False,
) -> None:
    """Measure a model by batch, concurrency and size.

    Exit codes: 0 measured, 1 all points are invalid, 2 cannot tell.
    """
    from weighbridge.api.job_progress import now
    from weighbridge.api.results import Result
    from weighbridge.cli.tables.terminal import sweep_parts
    from weighbridge.measure.scenarios import Offline, ProfileSettings, RuntimeSettings
    from weighbridge.measure.studies import sweep as sweeping

    with errors_as_exits(interrupted="Interrupted; the sweep was stopped and has no result.", writes=(json_file,)):
        target = target_options.target_from(
            model=model,
            data=data,
            wall_s=wall,
            is_trusted=trust,
            shapes=shape if not torch else None,
            systems={"torch": target_options.torch_target(torch, shape, is_compiled=compiled, is_bfloat16=bfloat16)},
        )
        engine = RuntimeSettings(
            provider=provider,
            options=dict(target_options.pairs_from(provider_option, field="provider_option")),
            affinity=target_options.numbers_from(affinity, field="affinity"),
        )
        stated = target_options.inputs_from(None, input_value, state)
        settings = ProfileSettings(
            scenario=Offline(min_samples=samples, threads=threads),
            engine=engine,
            inputs=target_options.input_settings(stated),
        )
        with target_options.runs_of(target, is_quiet=quiet) as (run, say):
            result = sweeping.sweep(
                run,
                settings=settings,
                batches=target_options.numbers_from(batch, field="batch"),
                sizes=target_options.sizes_from(dim),
                concurrencies=target_options.numbers_from(concurrency, field="concurrency"),
                on_progress=say,
                now=now(),
            )
        output(Result(result, (), lambda: sweep_parts(result)), json_file, is_quiet=quiet)
    if result["is_partial"]:
        stop("Stopped early; the result contains the points measured so far.", code=INTERRUPTED)
    if sweeping.best_of(result):
        raise typer.Exit(DONE)
    doubts = dict.fromkeys(text for point in result["points"] for text in sweeping.doubts_of(point))
    is_invalid = any(point.get("status") == "invalid" for point in result["points"])
    stop(" ".join(("No point measured the model.", *doubts)), code=NO if is_invalid else UNCLEAR)
