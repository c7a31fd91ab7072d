"""Plan a series from a user's choices: split rows, choose variants, prepare the folder."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.core.model_files.external_weights import weight_files
from weighbridge.measure.conditions import manifest
from weighbridge.measure.inputs.data_set import DataSet, read_data_set, write_data_set
from weighbridge.optimization import data_split
from weighbridge.optimization.comparison import classes_of
from weighbridge.optimization.methods.distill import DistilSettings
from weighbridge.optimization.methods.networks import export
from weighbridge.optimization.methods.prune import UNSTRUCTURED, PruneSettings
from weighbridge.optimization.methods.training import TrainingSettings
from weighbridge.optimization.recipes import Recipe, chosen
from weighbridge.optimization.series import Series
from weighbridge.optimization.trained_variants import TrainingInputs, pruned_variant, student_variant
from weighbridge.optimization.trial import Bench, TrialSettings, Variant
from weighbridge.optimization.variant_sandbox import Follow, VariantSandbox
from weighbridge.quality.checks import data_doubts, seen_doubt
from weighbridge.systems.sandbox.limits import Limits

TRIALS, LIMITS, DISTIL, TRAINING = TrialSettings(), Limits(), DistilSettings(), TrainingSettings()


@dataclasses.dataclass(frozen=True, kw_only=True)
class OptimizationChoice:
    """What to try: `only` names variants (all if empty); `calibrate` is the number of rows, drawn by `seed`."""

    folder: Path
    only: tuple[str, ...] = ()
    calibrate: int = 512
    seed: int = 20_260_101
    force_half: bool = False
    settings: TrialSettings = TRIALS
    limits: Limits = LIMITS


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainedVariants:
    """Variants of a PyTorch network by training: shares to prune, the student to train, and the settings."""

    prune: tuple[PruneSettings, ...] = ()
    student: Any = None
    distil: DistilSettings = DISTIL
    training: TrainingSettings = TRAINING


def of_file(model: Path, data: Path, *, calibration: Path | None, choice: OptimizationChoice) -> Series:
    """Plan the variants of an ONNX file: tested on `data`, calibrated with `calibration` or with rows of `data`.

    Raises Invalid for a missing or unreadable model or data, and for too few rows.
    """
    if not model.is_file():
        raise Invalid(f"The model file {model.name} does not exist.", code="model_missing", field="model")
    if beside := weight_files(model):
        text = f"{model.name} keeps weights in {beside[0].name}; variants need one file. Save it with onnx.save."
        raise Invalid(text, code="external_data", field="model")
    given = read_data_set(data)
    if calibration is None:
        shown, tested = data_split.split(given, calibrate=choice.calibrate, seed=choice.seed)
    else:
        shown = data_split.drawn(read_data_set(calibration), calibrate=choice.calibrate, seed=choice.seed)
        tested = given
    _check_rows(tested, shown)
    return _series(model.resolve(), shown, tested, choice, family=model.stem)


def of_network(
    network: Any, train: DataSet, test: DataSet, *, wanted: TrainedVariants, choice: OptimizationChoice, family: str
) -> Series:
    """Plan the variants of a trained PyTorch network: calibrated and trained on `train`, tested on `test`.

    Writes the network as `fp32.onnx` into the folder. Raises Invalid if it cannot be written.
    """
    _check_rows(test, train)
    model = choice.folder.resolve() / "fp32.onnx"
    export(network, model, example=train.x[:1])
    checkpoints = model.parent / "checkpoints"
    inputs = TrainingInputs(network=network, rows=train, training=wanted.training, checkpoints=checkpoints)
    trained = [pruned_variant(inputs, settings) for settings in wanted.prune]
    if wanted.student is not None:
        trained.append(student_variant(inputs, wanted.student, wanted.distil))
    shown = data_split.drawn(train, calibrate=choice.calibrate, seed=choice.seed)
    sentences = [UNSTRUCTURED] if wanted.prune else []
    return _series(model, shown, test, choice, family=family, trained=trained, sentences=sentences)


def _series(
    model: Path,
    shown: DataSet,
    tested: DataSet,
    choice: OptimizationChoice,
    *,
    family: str,
    trained: Sequence[Variant] = (),
    sentences: Sequence[str] = (),
) -> Series:
    folder = choice.folder.resolve()
    calibration, tests = _written(shown, folder / "calibration.npz"), _written(tested, folder / "test.npz")
    recipes, left_out = chosen(choice.only, machine=manifest.describe_machine(), force_half=choice.force_half)
    threads = choice.settings.comparison.threads
    sandbox = VariantSandbox(limits=choice.limits, threads=threads, workdir=folder / "jobs")
    bench = Bench(folder=folder, baseline=model, rows=tests, settings=choice.settings, sandbox=sandbox)
    made = [of_recipe(recipe, bench, calibration, family=family, rows=len(shown)) for recipe in recipes]
    return Series(
        bench=bench,
        variants=[*made, *trained],
        calibration=calibration,
        family=family,
        left_out=(*left_out, *sentences),
    )


def _check_rows(tested: DataSet, seen: DataSet) -> None:
    """Raise Invalid if quality on the test rows would be void: the variants are judged by it."""
    classes_of(tested)
    leak = seen_doubt(tested.fingerprints, seen.fingerprints)
    doubts = [*data_doubts(tested.fingerprints, tested.truth), *([leak] if leak else [])]
    void = [doubt for doubt in doubts if doubt.is_void]
    if void:
        raise Invalid(" ".join(doubt.message for doubt in void), code=void[0].code.replace(".", "_"), field="data")


def of_recipe(recipe: Recipe, bench: Bench, calibration: Path, *, family: str, rows: int) -> Variant:
    """Return the variant of a recipe, created in the sandbox."""

    def make(path: Path, follow: Follow) -> None:
        path.write_bytes(
            bench.sandbox.make(
                recipe,
                model=bench.baseline,
                rows=calibration,
                inputs=bench.settings.comparison.inputs,
                follow=follow,
            )
        )

    key = {"recipe": dataclasses.asdict(recipe)}
    return Variant(name=recipe.name, family=family, made_by=recipe.words(rows=rows), key=key, make=make)


def _written(data: DataSet, path: Path) -> Path:
    """Write rows to a file for a child process; the same rows give the same bytes."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_data_set(data, path)
    except OSError as error:
        text = f"Cannot write to {path.parent}: {error.strerror}. Choose another folder (--out)."
        raise Invalid(text, code="folder", field="out") from error
    return path
