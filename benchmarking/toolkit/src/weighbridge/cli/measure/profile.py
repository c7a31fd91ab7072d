"""`weighbridge profile`."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli import results, target_options
from weighbridge.cli.exits import errors_as_exits, output, partial_results
from weighbridge.cli.option_rules import Needs
from weighbridge.cli.watching import watching


def profile(  # noqa: PLR0913 -- every option of the command line
    model: target_options.ModelArgument = None,
    data: target_options.DataOption = None,
    scenario: Annotated[str, typer.Option(help="single-stream, multi-stream, offline or server.")] = "single-stream",
    samples: Annotated[
        int | None, typer.Option(help="Minimum number of timed queries. [default: depends on the scenario]")
    ] = None,
    batch: Annotated[
        int,
        typer.Option(help="Rows per query, for multi-stream and offline."),
        Needs("--scenario multi-stream", "--scenario offline"),
    ] = 8,
    concurrency: Annotated[int, typer.Option(help="Concurrent queries, for offline."), Needs("--scenario offline")] = 1,
    rate: Annotated[float, typer.Option(help="Queries per second, for server."), Needs("--scenario server")] = 10.0,
    limit_ms: Annotated[
        float | None,
        typer.Option(help="Limit of p99 in milliseconds, for server: report whether it is met."),
        Needs("--scenario server"),
    ] = None,
    threads: target_options.ThreadsOption = 1,
    wall: target_options.WallOption = 600.0,
    provider: target_options.ProviderOption = "cpu",
    provider_option: target_options.ProviderOptionOption = None,
    optimization: Annotated[
        str, typer.Option(help="Graph optimization of ONNX Runtime: none, basic, extended or all.")
    ] = "all",
    inter_op_threads: Annotated[
        int, typer.Option("--inter-op-threads", help="Threads for parallel operators; 1 runs them sequentially.")
    ] = 1,
    affinity: target_options.AffinityOption = "",
    torch: target_options.TorchOption = "",
    shape: target_options.ShapeOption = None,
    compiled: target_options.CompileOption = False,
    bfloat16: target_options.Bfloat16Option = False,
    http: Annotated[
        str,
        typer.Option(
            help="Measure a model over HTTP: Open Inference Protocol (.../v2/models/NAME), or any JSON with --body."
        ),
    ] = "",
    body: Annotated[
        Path | None,
        typer.Option(help="With --http: template of the body, {{ name }} for each input."),
        Needs("--http"),
    ] = None,
    answer: Annotated[
        str,
        typer.Option(help="With --body: path of the answer in the response, like predictions.0."),
        Needs("--body"),
    ] = "",
    header_file: Annotated[
        Path | None,
        typer.Option(help="With --body: file of secret headers, one 'Name: value' a line."),
        Needs("--body"),
    ] = None,
    cacert: Annotated[
        Path | None, typer.Option(help="With --body: PEM file of the trusted certificates."), Needs("--body")
    ] = None,
    grpc: Annotated[
        str, typer.Option(help="Measure a model over gRPC (Open Inference Protocol): HOST:PORT/NAME.")
    ] = "",
    command: Annotated[
        str, typer.Option(help="Measure a program that answers each line of JSON on its input with one; it is run.")
    ] = "",
    system: Annotated[
        str,
        typer.Option(help="Measure another system: its name, or package.module:name. Its code runs without a sandbox."),
    ] = "",
    option: Annotated[
        list[str] | None,
        typer.Option("--option", help="Option of the system, NAME=VALUE; repeatable."),
        Needs("--system"),
    ] = None,
    trust: target_options.TrustOption = False,
    operators: Annotated[bool, typer.Option(help="Report the time of each operator.")] = True,
    tdp_w: Annotated[
        float | None, typer.Option(help="Rated power of the processors in watts, to estimate energy.")
    ] = None,
    dim: target_options.DimOption = None,
    input_value: target_options.InputOption = None,
    state: target_options.StateOption = None,
    scored: target_options.OutputOption = "",
    scores: target_options.ScoresOption = "auto",
    threshold: target_options.ThresholdOption = 0.5,
    on: Annotated[
        str, typer.Option(help="Measure on another machine that has the toolkit: ssh://[user@]host[:port].")
    ] = "",
    remote_command: Annotated[
        str, typer.Option("--remote-command", help="With --on: the command of the toolkit there."), Needs("--on")
    ] = "weighbridge",
    fail_if: results.FailIfOption = None,
    baseline: results.BaselineOption = None,
    junit: results.JunitOption = None,
    markdown: results.MarkdownOption = None,
    metric: target_options.MetricOption = None,
    json_file: target_options.JsonOption = None,
    quiet: target_options.QuietOption = False,
) -> None:
    """Measure speed, memory and quality of a model.

    Speed is latency and throughput. Quality is measured on a data set (--data).
    """
    from weighbridge.api.profiling import profile as measured
    from weighbridge.api.profiling import profile_result

    checks = results.Checks(fail_if, baseline, junit, markdown)
    with errors_as_exits(
        interrupted="Interrupted; the run was stopped and has no result.", writes=(json_file, *checks.files)
    ):
        checks.check_form()
        target = target_options.target_from(
            model=model,
            shapes=shape if not torch else None,
            systems={
                "torch": target_options.torch_target(torch, shape, is_compiled=compiled, is_bfloat16=bfloat16),
                **target_options.http_target(http, body=body, answer=answer, header_file=header_file, cacert=cacert),
                **target_options.other_targets(grpc, command, system, option),
            },
            data=data,
            wall_s=wall,
        )
        with partial_results(profile_result, json_file, is_quiet=quiet), watching(is_quiet=quiet) as watcher:
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
                **target_options.inputs_from(dim, input_value, state),
                output=scored,
                scores=scores,
                threshold=threshold,
                metrics=metric or (),
                trust=trust,
                operators=operators,
                tdp_w=tdp_w,
                on=on,
                remote_command=remote_command,
                watcher=watcher,
            )
        output(result, json_file, is_quiet=quiet, beside=checks.files)
    results.exit_with(result, checks, is_quiet=quiet, beside=(json_file,))
