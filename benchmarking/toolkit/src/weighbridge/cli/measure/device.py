"""`weighbridge device`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from weighbridge.cli import target_options
from weighbridge.cli.exits import DONE, NO, errors_as_exits, output
from weighbridge.cli.watching import watching

if TYPE_CHECKING:
    from weighbridge.api.devices import DevicePage
    from weighbridge.api.results import Result


def device(  # noqa: PLR0913 -- every option of the command line
    model: Annotated[Path | None, typer.Argument(help="ONNX file.", show_default=False)] = None,
    data: target_options.DataOption = None,
    samples: Annotated[int, typer.Option(help="Minimum number of timed queries.")] = 1_000,
    duration: Annotated[float, typer.Option(help="Minimum duration of the timed queries in seconds.")] = 10.0,
    threads: Annotated[int, typer.Option(help="Number of threads for WebAssembly; more than 1 needs https.")] = 1,
    dim: target_options.DimOption = None,
    input_value: target_options.InputOption = None,
    state: target_options.StateOption = None,
    tolerance: Annotated[
        float | None,
        typer.Option(help="Largest difference of answers, as a share of the largest. [default: 0.001, float16 0.01]"),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 lets other devices on the network in.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 0,
    tls: Annotated[
        Path | None, typer.Option(help="Folder with tls.crt and tls.key, to serve https.", show_default=False)
    ] = None,
    wait: Annotated[int, typer.Option(help="Number of results after which to end.", min=1, max=1_000)] = 1,
    wall: Annotated[float, typer.Option(help="Longest time to wait in seconds.")] = 3_600.0,
    runtime: Annotated[
        Path | None, typer.Option(help="Folder with the npm package onnxruntime-web; default: the cache of --install.")
    ] = None,
    install: Annotated[
        bool, typer.Option("--install", help="Fetch onnxruntime-web with npm, into --runtime or the cache, and end.")
    ] = False,
    compare_here: Annotated[
        bool, typer.Option("--compare-here", help="Measure the model on this machine too, and show both.")
    ] = False,
    trust: target_options.TrustOption = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write the result to this file; several get numbers.")
    ] = None,
    quiet: target_options.QuietOption = False,
) -> None:
    """Measure an ONNX file in the browser of a phone or laptop.

    Its answers there are compared with those of ONNX Runtime here.
    """
    from weighbridge.api.devices import measure_on_devices
    from weighbridge.systems.device.runtime import install as installed

    statuses: list[str] = []

    def keep(result: "Result") -> None:
        statuses.append(result["verdict"]["status"])
        output(result, file_of(json_file, len(statuses), wait), is_quiet=quiet)

    files = [file_of(json_file, number, wait) for number in range(1, wait + 1)]
    with errors_as_exits(interrupted="Interrupted; no device had measured.", writes=files):
        if install:
            typer.echo(f"onnxruntime-web is in {installed(runtime)}.")
            return
        _check(model, json_file, wait)
        with watching(is_quiet=True) as watcher:
            measure_on_devices(
                model or "",
                data=data,
                samples=samples,
                duration=duration,
                threads=threads,
                **target_options.inputs_from(dim, input_value, state),
                tolerance=tolerance,
                host=host,
                port=port,
                tls=tls,
                wait=wait,
                wall=wall,
                runtime=runtime,
                compare_here=compare_here,
                trust=trust,
                on_ready=_announce,
                on_result=keep,
                on_refusal=lambda reason: typer.echo(f"weighbridge: A device could not measure: {reason}", err=True),
                watcher=watcher,
            )
    raise typer.Exit(NO if "invalid" in statuses else DONE)


def file_of(json_file: Path | None, number: int, wait: int) -> Path | None:
    """Return the file of a result: as named, or with a number if several are awaited."""
    if json_file is None or wait == 1:
        return json_file
    return json_file.with_name(f"{json_file.stem}-{number}{json_file.suffix}")


def _check(model: Path | None, json_file: Path | None, wait: int) -> None:
    from weighbridge.api.documents import is_standard_output
    from weighbridge.core.errors import Invalid

    if model is None:
        raise Invalid("Give an ONNX file to measure.", field="model")
    if is_standard_output(json_file) and wait > 1:
        raise Invalid("Several results need files of their own; name one with --json.", field="json")


def _announce(page: "DevicePage") -> None:
    """Tell on standard error where the page is and who can reach it."""
    say = f"Open this link on the device: {page.link}\n" + (
        "Anybody on the network who has the link can load the model and the inputs, and report a result, until "
        "this program ends."
        if page.is_reachable
        else "Only this machine can reach it; --host 0.0.0.0 lets other devices on the network in."
    )
    typer.echo(say, err=True)
    if page.remark:
        typer.echo(f"weighbridge: {page.remark}", err=True)
    if page.code and sys.stderr.isatty():
        typer.echo(page.code, err=True)
