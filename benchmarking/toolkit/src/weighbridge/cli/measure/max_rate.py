"""`weighbridge max-rate`."""

import sys
import time
from typing import Annotated

import typer

from weighbridge.api.documents import write_json
from weighbridge.cli import target as subject
from weighbridge.cli.exits import DONE, INTERRUPTED, NO, UNCLEAR, stop
from weighbridge.core.errors import Refused


def max_rate(  # noqa: PLR0913 -- every option of the command line
    p99_ms: Annotated[float, typer.Option(help="Limit of the 99th percentile of response time.")],
    model: subject.ModelArgument = None,
    samples: Annotated[int, typer.Option(help="Queries in a trial; p99 needs 662.")] = 700,
    within: Annotated[str, typer.Option(help="How long the search may take in all: 90s, 30m.")] = "30m",
    data: subject.DataOption = None,
    threads: subject.ThreadsOption = 1,
    wall: subject.WallOption = 600.0,
    provider: subject.ProviderOption = "cpu",
    affinity: subject.AffinityOption = "",
    trust: subject.TrustOption = False,
    json_file: subject.JsonOption = None,
    quiet: subject.QuietOption = False,
) -> None:
    """Find the highest rate of single queries that one worker answers in time: exit 0 found, 1 none is, 2
    out of time.
    """
    from datetime import UTC, datetime

    from weighbridge.cli.tables.terminal import max_rate_parts, show
    from weighbridge.load.plan import seconds
    from weighbridge.measure.deadline import Deadline
    from weighbridge.measure.scenarios import ProfileSettings, RuntimeSettings, Server
    from weighbridge.measure.studies.max_rate import Asked, find_max_rate
    from weighbridge.systems.sandbox.process import RunCanceled, RunEnded

    try:
        target = subject.target_from(model=model, data=data, wall_s=wall, is_trusted=trust)
        engine = RuntimeSettings(provider=provider, affinity=tuple(subject.numbers_from(affinity, field="affinity")))
        # The limit, the number of samples and the time are refused here, before anything is run.
        scenario = Server(threads=threads, limit_ms=p99_ms, min_samples=samples)
        deadline = Deadline(seconds(within, field="within"), time.monotonic)
        with subject.runs_of(target, is_quiet=quiet) as (run, say):
            result = find_max_rate(
                run,
                settings=ProfileSettings(scenario=scenario, engine=engine),
                asked=Asked(limit_ms=p99_ms, samples=samples, deadline=deadline),
                on_progress=say,
                now=datetime.fromtimestamp(time.time(), UTC),
            )
        if json_file is not None:
            write_json(json_file, result)
    except RunEnded as ended:
        stop(ended.reason, code=INTERRUPTED if isinstance(ended, RunCanceled) else UNCLEAR)
    except Refused as refused:
        stop(refused.reason)
    except KeyboardInterrupt:
        stop("Interrupted; the search was stopped and left no result.", code=INTERRUPTED)
    if not quiet:
        show(max_rate_parts(result), sys.stdout)
    if result["is_partial"]:
        stop(f"The time was up after {deadline.within_s:g} s, before there was an answer; give more with --within.")
    raise typer.Exit(NO if result["reason"] == "no_pass_in_range" else DONE)
