"""`weighbridge max-rate`."""

import time
from typing import Annotated

import typer

from weighbridge.cli import target_options
from weighbridge.cli.exits import code_of_search, errors_as_exits, output, stop


def max_rate(  # noqa: PLR0913 -- every option of the command line
    p99_ms: Annotated[float, typer.Option(help="Limit of the response time p99 in milliseconds.")],
    model: target_options.ModelArgument = None,
    samples: Annotated[int, typer.Option(help="Queries per trial; p99 needs 662.")] = 700,
    within: Annotated[str, typer.Option(help="Time limit of the whole search, like 90s or 30m.")] = "30m",
    data: target_options.DataOption = None,
    threads: target_options.ThreadsOption = 1,
    wall: target_options.WallOption = 600.0,
    provider: target_options.ProviderOption = "cpu",
    provider_option: target_options.ProviderOptionOption = None,
    affinity: target_options.AffinityOption = "",
    trust: target_options.TrustOption = False,
    dim: target_options.DimOption = None,
    input_value: target_options.InputOption = None,
    state: target_options.StateOption = None,
    json_file: target_options.JsonOption = None,
    quiet: target_options.QuietOption = False,
) -> None:
    """Find the highest query rate that one worker serves.

    A rate counts if it meets the limit of p99. Exit codes: 0 found, 1 none, 2 cannot tell.
    """
    from weighbridge.api.job_progress import now
    from weighbridge.api.results import Result
    from weighbridge.cli.tables.terminal import max_rate_parts
    from weighbridge.load.plan import seconds
    from weighbridge.measure.deadline import Deadline
    from weighbridge.measure.scenarios import ProfileSettings, RuntimeSettings, Server
    from weighbridge.measure.studies.max_rate import MaxRateSettings, find_max_rate

    with errors_as_exits(interrupted="Interrupted; the search was stopped and has no result.", writes=(json_file,)):
        target = target_options.target_from(model=model, data=data, wall_s=wall, is_trusted=trust)
        engine = RuntimeSettings(
            provider=provider,
            options=dict(target_options.pairs_from(provider_option, field="provider_option")),
            affinity=target_options.numbers_from(affinity, field="affinity"),
        )
        # Check the limit, the number of samples and the time before anything runs.
        scenario = Server(threads=threads, limit_ms=p99_ms, min_samples=samples)
        deadline = Deadline(seconds(within, field="within"), time.monotonic)
        with target_options.runs_of(target, is_quiet=quiet) as (run, say):
            result = find_max_rate(
                run,
                settings=ProfileSettings(
                    scenario=scenario,
                    engine=engine,
                    inputs=target_options.input_settings(target_options.inputs_from(dim, input_value, state)),
                ),
                limits=MaxRateSettings(limit_ms=p99_ms, samples=samples, deadline=deadline),
                on_progress=say,
                now=now(),
            )
        output(Result(result, (), lambda: max_rate_parts(result)), json_file, is_quiet=quiet)
    if result["is_partial"]:
        stop(f"Time ran out after {deadline.within_s:g} s without an answer; allow more time with --within.")
    raise typer.Exit(code_of_search(result))
