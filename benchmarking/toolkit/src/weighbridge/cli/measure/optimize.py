"""`weighbridge optimize`."""

from pathlib import Path
from typing import Annotated

import typer

from weighbridge.cli.exits import DONE, NO, give, refusals_told

Rows = Annotated[Path, typer.Option(help="Data set, .npz with x (rows, ...) and y (rows,); with --torch, to train on.")]
Shown = Annotated[Path | None, typer.Option(help="Rows to calibrate with; else they are taken out of --data.")]
Network = Annotated[str, typer.Option(help="Instead of a file: a trained PyTorch network, package.module:factory.")]
Shares = Annotated[list[float] | None, typer.Option(help="With --torch: share of channels to drop; more than one.")]
Names = Annotated[list[str] | None, typer.Option(help="Make this variant alone; more than one. Names as in the table.")]
Forced = Annotated[bool, typer.Option("--force-fp16", help="Measure FP16 where the hardware does not gain.")]


def optimize(  # noqa: PLR0913 -- each is an option of the command line
    data: Rows,
    model: Annotated[Path | None, typer.Argument(help="The model, an ONNX file in FP32.")] = None,
    calibration: Shown = None,
    torch: Network = "",
    test: Annotated[Path | None, typer.Option(help="With --torch: the data set to test on.")] = None,
    prune: Shares = None,
    distil: Annotated[str, typer.Option(help="With --torch: a student to teach, package.module:factory.")] = "",
    temperature: Annotated[float, typer.Option(help="How soft the teacher's scores are made.")] = 4.0,
    alpha: Annotated[float, typer.Option(help="The teacher's share of the student's loss, 0 to 1.")] = 0.7,
    epochs: Annotated[int, typer.Option(help="Epochs of fine-tuning and of distilling.")] = 3,
    only: Names = None,
    force_fp16: Forced = False,
    margin: Annotated[float, typer.Option(help="Loss of accuracy that is acceptable: 0.01 is one point.")] = 0.01,
    calibrate: Annotated[int, typer.Option(help="How many rows to calibrate with.")] = 512,
    samples: Annotated[int, typer.Option(help="Least number of timed inferences of each variant.")] = 3_000,
    threads: Annotated[int, typer.Option(help="Threads a model may use.")] = 1,
    wall: Annotated[float, typer.Option(help="Seconds after which one measurement is stopped.")] = 600.0,
    out: Annotated[Path | None, typer.Option(help="Folder for variants and results; the same one goes on.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the candidates to this file too.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Make cheaper variants of a model and say what each is worth: speed, size, memory, and what it
    costs in quality.
    """
    import sys

    from weighbridge.api.following import Watcher
    from weighbridge.api.optimizing import default_folder
    from weighbridge.api.optimizing import optimize as optimized
    from weighbridge.cli.tables.terminal import progress

    kept = (out or default_folder(model)) / "candidates.json"
    with refusals_told(
        interrupted=f"Interrupted; what was finished is in {kept}, and the same command goes on from there."
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
                wall=wall,
                out=out,
                json_file=json_file,
                watcher=Watcher(say),
            )
        give(result, None, is_quiet=quiet)
    answers = [each["verdict"]["answer"] for each in result["candidates"]]
    raise typer.Exit(NO if set(answers) <= {"baseline", "failed"} else DONE)
