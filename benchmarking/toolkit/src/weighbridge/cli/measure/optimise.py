"""`weighbridge optimise`."""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from weighbridge.cli.exits import DONE, INTERRUPTED, NO, stop, write_json
from weighbridge.core.errors import Invalid, Refused

if TYPE_CHECKING:
    from weighbridge.optimize.plan import Choice
    from weighbridge.optimize.series import Series
    from weighbridge.optimize.trial import TrialSettings


Rows = Annotated[Path, typer.Option(help="Data set, .npz with x (rows, ...) and y (rows,); with --torch, to train on.")]
Shown = Annotated[Path | None, typer.Option(help="Rows to calibrate with; else they are taken out of --data.")]
Network = Annotated[str, typer.Option(help="Instead of a file: a trained PyTorch network, package.module:factory.")]
Shares = Annotated[list[float] | None, typer.Option(help="With --torch: share of channels to drop; more than one.")]
Names = Annotated[list[str] | None, typer.Option(help="Make this variant alone; more than one. Names as in the table.")]
Forced = Annotated[bool, typer.Option("--force-fp16", help="Measure FP16 where the hardware does not gain.")]


def optimise(  # noqa: PLR0913 -- each is an option of the command line
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
    """Make cheaper variants of a model and say what each is worth: speed, size, memory, and what it costs
    in quality.
    """
    from weighbridge.optimize.plan import Choice
    from weighbridge.systems.limits import Limits

    folder = out or Path(f"{model.stem if model else 'network'}-variants")
    lessons = {"prune": prune or [], "student": distil, "temperature": temperature, "alpha": alpha, "epochs": epochs}
    try:
        choice = Choice(
            folder=folder,
            only=tuple(only or ()),
            calibrate=calibrate,
            force_half=force_fp16,
            settings=_settings(samples, threads, margin),
            limits=Limits(wall_s=wall),
        )
        if model is not None and not torch:
            series = _of_file(model, data, calibration, choice)
        elif torch and model is None and test is not None:
            series = _of_network(torch, data, test, choice, **lessons)
        else:
            text = "Give either an ONNX file, or --torch together with --data (to train on) and --test."
            raise Invalid(text, field="model")
        _run(series, json_file, is_quiet=quiet)
    except Refused as refused:
        stop(refused.reason)


def _settings(samples: int, threads: int, margin: float) -> "TrialSettings":
    from weighbridge.measure.scenarios import ProfileSettings, SingleStream
    from weighbridge.optimize.comparison import ComparisonSettings
    from weighbridge.optimize.trial import TrialSettings

    scenario = SingleStream(min_samples=samples, max_duration_s=30.0, threads=threads)
    return TrialSettings(
        profile=ProfileSettings(scenario=scenario), comparison=ComparisonSettings(margin=margin, threads=threads)
    )


def _of_file(model: Path, data: Path, calibration: Path | None, choice: "Choice") -> "Series":
    from weighbridge.optimize.plan import of_file

    return of_file(model, data, calibration=calibration, choice=choice)


def _of_network(name: str, train: Path, test: Path, choice: "Choice", **asked: Any) -> "Series":
    from weighbridge.measure.inputs import read_data_set
    from weighbridge.optimize.methods.distill import DistilSettings
    from weighbridge.optimize.methods.networks import built
    from weighbridge.optimize.methods.prune import PruneSettings
    from weighbridge.optimize.methods.training import TrainingSettings
    from weighbridge.optimize.plan import Lessons, of_network

    lessons = Lessons(
        prune=tuple(PruneSettings(amount=amount) for amount in asked["prune"]),
        student=built(asked["student"]) if asked["student"] else None,
        distil=DistilSettings(temperature=asked["temperature"], alpha=asked["alpha"]),
        training=TrainingSettings(epochs=asked["epochs"]),
    )
    return of_network(
        built(name),
        read_data_set(train),
        read_data_set(test),
        lessons=lessons,
        choice=choice,
        family=name.rpartition(":")[2],
    )


def _run(series: "Series", json_file: Path | None, *, is_quiet: bool) -> None:
    """Run the series, keep what there is after each variant, print it, and end with the exit code."""
    from datetime import UTC, datetime

    from weighbridge.cli.tables.terminal import progress
    from weighbridge.cli.tables.variant_table import show_candidates
    from weighbridge.optimize import series as runs
    from weighbridge.tradeoff.candidates import Answer, Candidates

    kept = series.bench.folder / "candidates.json"

    def keep(candidates: Candidates) -> None:
        for path in (kept, *([json_file] if json_file else [])):
            # Whole or not at all: an interruption must not tear what was finished.
            part = path.with_name(f"{path.name}.part")
            write_json(part, candidates.as_document())
            part.replace(path)

    try:
        with progress(sys.stderr, is_quiet=is_quiet) as say:
            found = runs.run(
                series, follow=(say, lambda: False), now=lambda: datetime.fromtimestamp(time.time(), UTC), keep=keep
            )
        keep(found)
    except KeyboardInterrupt:
        stop(f"Interrupted; what was finished is in {kept}, and the same command goes on from there.", code=INTERRUPTED)
    if not is_quiet:
        show_candidates(found, sys.stdout, left_out=series.left_out)
    failed = [each for each in found.candidates if each.verdict.answer is Answer.FAILED]
    raise typer.Exit(NO if len(failed) == len(series.variants) else DONE)
