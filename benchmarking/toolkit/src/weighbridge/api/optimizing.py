"""`optimize`: create cheaper variants of a model and judge each."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from weighbridge.api.documents import PathLike, write_json
from weighbridge.api.job_progress import NOBODY, Watcher, now
from weighbridge.api.results import Result, metric_rows
from weighbridge.cli.tables.variant_table import candidates_parts
from weighbridge.core.errors import Invalid
from weighbridge.measure.inputs.data_set import read_data_set
from weighbridge.measure.inputs.settings import InputSettings
from weighbridge.measure.scenarios import ProfileSettings, SingleStream
from weighbridge.optimization import series as runs
from weighbridge.optimization.comparison import VariantComparisonSettings
from weighbridge.optimization.methods.distill import DistilSettings
from weighbridge.optimization.methods.networks import built
from weighbridge.optimization.methods.prune import PruneSettings
from weighbridge.optimization.methods.training import TrainingSettings
from weighbridge.optimization.plan import OptimizationChoice, TrainedVariants, of_file, of_network
from weighbridge.optimization.trial import TrialSettings
from weighbridge.quality.answers import AnswerSettings
from weighbridge.systems.registry import require_onnx
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.target import NO_OPTIONS
from weighbridge.tradeoff.candidates import Candidates


def optimize(  # noqa: PLR0913 -- the options of the command line
    model: PathLike | None = None,
    *,
    data: PathLike,
    calibration: PathLike | None = None,
    torch: str = "",
    test: PathLike | None = None,
    prune: Sequence[float] = (),
    distil: str = "",
    temperature: float = 4.0,
    alpha: float = 0.7,
    epochs: int = 3,
    only: Sequence[str] = (),
    force_fp16: bool = False,
    margin: float = 0.01,
    calibrate: int = 512,
    samples: int = 3_000,
    threads: int = 1,
    dims: Mapping[str, int] = NO_OPTIONS,
    inputs: Mapping[str, str] = NO_OPTIONS,
    state: Mapping[str, str] = NO_OPTIONS,
    output: str = "",
    scores: str = "auto",
    threshold: float = 0.5,
    wall: float = 600.0,
    out: PathLike | None = None,
    json_file: PathLike | None = None,
    watcher: Watcher = NOBODY,
) -> Result:
    """Create cheaper variants of a model, measure each, and judge which are worth it.

    `model` is an FP32 ONNX file and `data` an `.npz` file as for `profile`, with class numbers as its truth; `dims`,
    `inputs`, `state`, `output`, `scores` and `threshold` are those of `profile`. Or `torch` is the factory of a trained
    network, "package.module:factory", with `data` to train on and `test` to test on; then `prune` drops shares of its
    channels (L1 norm, Li et al. 2017) and `distil` trains a student (Hinton et al. 2015) with `temperature` and the
    teacher's share `alpha` of the loss. Variants are quantized (static INT8 is calibrated on `calibrate` rows), fused,
    or in FP16 if the hardware gains from it.

    Variants and results are stored in the folder `out`; the same call continues an interrupted one. A variant is worth
    it if it is shown to be cheaper and to lose at most `margin` of accuracy (a share).

    The result is a `weighbridge.candidates/1` document. `to_pandas()` has a row for each candidate's metric. Raises
    Invalid for unsuitable input, and ExtraMissing if `torch` is used and PyTorch is not installed.
    """
    stated = InputSettings(dims=dict(dims), values=dict(inputs), state=dict(state))
    scored = AnswerSettings(output=output, scores=scores, threshold=threshold)
    choice = OptimizationChoice(
        folder=Path(out) if out is not None else default_folder(model),
        only=tuple(only),
        calibrate=calibrate,
        force_half=force_fp16,
        settings=_settings(samples, threads, margin, stated, scored),
        limits=Limits(wall_s=wall),
    )
    if model is not None and not torch:
        require_onnx([Path(model)], "optimize")
        shown = Path(calibration) if calibration is not None else None
        return _run(of_file(Path(model), Path(data), calibration=shown, choice=choice), json_file, watcher)
    if not torch or model is not None or test is None:
        text = "Give either an ONNX file, or --torch together with --data (to train on) and --test."
        raise Invalid(text, field="model")
    network = built(torch)
    wanted = TrainedVariants(
        prune=tuple(PruneSettings(amount=amount) for amount in prune),
        student=built(distil) if distil else None,
        distil=DistilSettings(temperature=temperature, alpha=alpha),
        training=TrainingSettings(epochs=epochs),
    )
    train, tested, family = read_data_set(Path(data)), read_data_set(Path(test)), torch.rpartition(":")[2]
    series = of_network(network, train, tested, wanted=wanted, choice=choice, family=family)
    return _run(series, json_file, watcher)


def _settings(
    samples: int, threads: int, margin: float, stated: InputSettings, scored: AnswerSettings
) -> TrialSettings:
    scenario = SingleStream(min_samples=samples, max_duration_s=30.0, threads=threads)
    comparison = VariantComparisonSettings(margin=margin, threads=threads, inputs=stated, answers=scored)
    return TrialSettings(
        profile=ProfileSettings(scenario=scenario, inputs=stated, answers=scored), comparison=comparison
    )


def default_folder(model: PathLike | None) -> Path:
    """Return the default folder for variants."""
    return Path(f"{Path(model).stem if model is not None else 'network'}-variants")


def _run(series: runs.Series, json_file: PathLike | None, watcher: Watcher) -> Result:
    """Run the series and store the candidates after each variant."""
    files = [series.bench.folder / "candidates.json", *([Path(json_file)] if json_file is not None else [])]

    def keep(candidates: Candidates) -> None:
        for file in files:
            write_json(file, candidates.as_document())

    found = runs.run(series, follow=(watcher.on_progress, watcher.should_stop), now=now, keep=keep)
    keep(found)
    document = found.as_document()
    rows = (
        row
        for each in document["candidates"]
        for row in metric_rows(each["metrics"], candidate=each["name"], answer=each["verdict"]["answer"].value)
    )
    return Result(document, tuple(rows), lambda: candidates_parts(found, left_out=series.left_out))
