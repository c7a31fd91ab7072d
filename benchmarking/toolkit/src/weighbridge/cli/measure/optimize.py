"""`weighbridge optimize`."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli import target_options
from weighbridge.cli.exits import DONE, NO, errors_as_exits, output
from weighbridge.cli.option_rules import Needs


def optimize(  # noqa: PLR0913 -- each is an option of the command line
    data: Annotated[
        Path, typer.Option(help="Data set, .npz with x (rows, ...) and y (rows,); with --torch, the training data.")
    ],
    model: Annotated[Path | None, typer.Argument(help="The model (ONNX file in FP32).")] = None,
    calibration: Annotated[Path | None, typer.Option(help="Calibration data; default: rows taken from --data.")] = None,
    torch: Annotated[
        str, typer.Option(help="A trained PyTorch network instead of a file: package.module:factory.")
    ] = "",
    test: Annotated[Path | None, typer.Option(help="With --torch: the test data set."), Needs("--torch")] = None,
    prune: Annotated[
        list[float] | None,
        typer.Option(help="With --torch: share of channels to prune; repeatable."),
        Needs("--torch"),
    ] = None,
    distil: Annotated[
        str,
        typer.Option(help="With --torch: a student network to distill into, package.module:factory."),
        Needs("--torch"),
    ] = "",
    temperature: Annotated[float, typer.Option(help="Distillation temperature."), Needs("--distil")] = 4.0,
    alpha: Annotated[
        float, typer.Option(help="Weight of the teacher in the distillation loss, 0 to 1."), Needs("--distil")
    ] = 0.7,
    epochs: Annotated[
        int, typer.Option(help="Epochs of fine-tuning and distillation."), Needs("--prune", "--distil")
    ] = 3,
    only: Annotated[
        list[str] | None, typer.Option(help="Make only this variant, by its name in the table; repeatable.")
    ] = None,
    force_fp16: Annotated[
        bool, typer.Option("--force-fp16", help="Measure FP16 even if the hardware does not benefit.")
    ] = False,
    margin: Annotated[float, typer.Option(help="Acceptable loss of accuracy: 0.01 is one point.")] = 0.01,
    calibrate: Annotated[int, typer.Option(help="Number of calibration rows.")] = 512,
    samples: Annotated[int, typer.Option(help="Minimum number of timed inferences per variant.")] = 3_000,
    threads: Annotated[int, typer.Option(help="Number of threads for a model.")] = 1,
    wall: Annotated[float, typer.Option(help="Time limit of one measurement in seconds.")] = 600.0,
    dim: target_options.DimOption = None,
    input_value: target_options.InputOption = None,
    state: target_options.StateOption = None,
    scored: target_options.OutputOption = "",
    scores: target_options.ScoresOption = "auto",
    threshold: target_options.ThresholdOption = 0.5,
    out: Annotated[
        Path | None, typer.Option(help="Folder for variants and results; an existing folder is continued.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write the candidates to this file.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print errors only.")] = False,
) -> None:
    """Make cheaper variants of a model and compare them.

    Compared are speed, size, memory and the loss of quality.
    """
    import sys

    from weighbridge.api.documents import is_standard_output
    from weighbridge.api.job_progress import Watcher
    from weighbridge.api.optimizing import default_folder
    from weighbridge.api.optimizing import optimize as optimized
    from weighbridge.cli.tables.terminal import progress

    is_piped = is_standard_output(json_file)
    results = (out or default_folder(model)) / "candidates.json"
    with errors_as_exits(
        interrupted=f"Interrupted; finished variants are in {results}. Run the same command to continue.",
        writes=(json_file,),
        keeps=(out,),
    ):
        with progress(sys.stderr, is_quiet=quiet) as say:
            result = optimized(
                model,
                data=data,
                calibration=calibration,
                torch=torch,
                test=test,
                prune=prune or (),
                distil=distil,
                temperature=temperature,
                alpha=alpha,
                epochs=epochs,
                only=only or (),
                force_fp16=force_fp16,
                margin=margin,
                calibrate=calibrate,
                samples=samples,
                threads=threads,
                **target_options.inputs_from(dim, input_value, state),
                output=scored,
                scores=scores,
                threshold=threshold,
                wall=wall,
                out=out,
                json_file=None if is_piped else json_file,
                watcher=Watcher(say),
            )
        output(result, json_file if is_piped else None, is_quiet=quiet)
    answers = [candidate["verdict"]["answer"] for candidate in result["candidates"]]
    raise typer.Exit(NO if set(answers) <= {"baseline", "failed"} else DONE)
