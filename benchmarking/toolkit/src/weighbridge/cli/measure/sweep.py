"""`weighbridge sweep`."""

import sys
import time
from typing import Annotated

import typer

from weighbridge.api.documents import write_json
from weighbridge.cli import target as subject
from weighbridge.cli.exits import DONE, INTERRUPTED, NO, stop
from weighbridge.core.errors import Refused


def sweep(  # noqa: PLR0913 -- every option of the command line
    model: subject.ModelArgument = None,
    batch: Annotated[str, typer.Option(help="Sizes of batch, with commas.")] = "1,2,4,8",
    concurrency: Annotated[str, typer.Option(help="Numbers of batches under way, with commas.")] = "1",
    samples: Annotated[int, typer.Option(help="Least number of timed batches at each point.")] = 400,
    data: subject.DataOption = None,
    threads: subject.ThreadsOption = 1,
    wall: subject.WallOption = 600.0,
    provider: subject.ProviderOption = "cpu",
    affinity: subject.AffinityOption = "",
    torch: subject.TorchOption = "",
    shape: subject.ShapeOption = "",
    compiled: subject.CompileOption = False,
    bfloat16: subject.Bfloat16Option = False,
    trust: subject.TrustOption = False,
    json_file: subject.JsonOption = None,
    quiet: subject.QuietOption = False,
) -> None:
    """Measure throughput and latency over sizes of batch and numbers of batches under way."""
    from datetime import UTC, datetime

    from weighbridge.cli.tables.terminal import show, sweep_parts
    from weighbridge.measure.scenarios import Offline, ProfileSettings, RuntimeSettings
    from weighbridge.measure.studies import sweep as sweeping

    try:
        target = subject.target_from(
            model=model,
            data=data,
            wall_s=wall,
            is_trusted=trust,
            torch=subject.torch_target(torch, shape, is_compiled=compiled, is_bfloat16=bfloat16),
        )
        engine = RuntimeSettings(provider=provider, affinity=tuple(subject.numbers_from(affinity, field="affinity")))
        settings = ProfileSettings(scenario=Offline(min_samples=samples, threads=threads), engine=engine)
        with subject.runs_of(target, is_quiet=quiet) as (run, say):
            result = sweeping.sweep(
                run,
                settings=settings,
                batches=subject.numbers_from(batch, field="batch"),
                concurrencies=subject.numbers_from(concurrency, field="concurrency"),
                on_progress=say,
                now=datetime.fromtimestamp(time.time(), UTC),
            )
        if json_file is not None:
            write_json(json_file, result)
    except Refused as refused:
        stop(refused.reason)
    except KeyboardInterrupt:
        stop("Interrupted; the sweep was stopped and left no result.", code=INTERRUPTED)
    if not quiet:
        show(sweep_parts(result), sys.stdout)
    if result["is_partial"]:
        stop("Stopped before its end; the points measured until then are kept.", code=INTERRUPTED)
    raise typer.Exit(DONE if sweeping.best_of(result) else NO)
