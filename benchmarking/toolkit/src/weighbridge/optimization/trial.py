"""Trial: one variant, created, profiled, compared with the baseline and judged; its files are in the series' folder."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.measure.scenarios import ProfileSettings, SingleStream
from weighbridge.measure.verdict import Status
from weighbridge.optimization.comparison import VariantComparison, VariantComparisonSettings
from weighbridge.optimization.operators import culprit
from weighbridge.optimization.variant_sandbox import Follow, VariantSandbox
from weighbridge.optimization.variant_verdicts import judge, saved_share
from weighbridge.systems.sandbox.isolated import run_isolated
from weighbridge.systems.sandbox.process import RunFailed
from weighbridge.tradeoff.candidates import Candidate, Estimate, Measurement, RawLatencies, VariantVerdict
from weighbridge.tradeoff.shapes import read

# Enough for a distribution chart; the result's own file has all samples.
MOST_SAMPLES = 5_000
# The shares of a variant's progress at which creation and profiling end.
MADE, PROFILED = 0.3, 0.7
PROFILE, COMPARISON = ProfileSettings(scenario=SingleStream(max_duration_s=30.0)), VariantComparisonSettings()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Variant:
    """A variant to create: `make(path, follow)` writes its ONNX file; `key` determines the outcome."""

    name: str
    family: str
    made_by: str
    key: Mapping[str, Any]
    make: Callable[[Path, Follow], None]


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrialSettings:
    """How variants are measured: latency, quality and memory alone (`profile`), then together with the baseline."""

    profile: ProfileSettings = PROFILE
    comparison: VariantComparisonSettings = COMPARISON

    def __post_init__(self) -> None:
        """Refuse different numbers of threads: the speed-up would not match the other estimates."""
        if self.profile.scenario.threads != self.comparison.threads:
            raise Invalid("Profiling and comparison must use the same number of threads.", field="threads")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bench:
    """The environment of trials: the series' folder, its baseline (an ONNX file), its test rows, and the sandbox."""

    folder: Path
    baseline: Path
    rows: Path
    settings: TrialSettings
    sandbox: VariantSandbox

    def profile(self, model: Path, name: str, follow: Follow) -> dict[str, Any]:
        """Profile an ONNX file in the sandbox and return its `weighbridge.result/1` mapping."""
        on_progress, should_stop = follow
        result = run_isolated(
            model=model,
            settings=self.settings.profile,
            data=self.rows,
            limits=self.sandbox.limits,
            on_progress=lambda share, doing: on_progress(share, f"{name}: {doing}"),
            should_stop=should_stop,
            workdir=self.sandbox.workdir,
        )
        quality = result.get("quality_verdict")
        if quality and quality["status"] == Status.INVALID:
            text = " ".join(reason["message"] for reason in quality["reasons"])
            raise RunFailed(text, code="quality_void")
        return result


def described(
    result: Mapping[str, Any], *, name: str, family: str, made_by: str, verdict: VariantVerdict, **more: Any
) -> Candidate:
    """Return the candidate for the result of a profile."""
    samples, stride = result["samples"]["latency_ns"], result["samples"]["stride"]
    thin = max(1, -(-len(samples) // MOST_SAMPLES))
    return Candidate(
        name=name,
        family=family,
        made_by=made_by,
        verdict=verdict,
        metrics={key: read(Estimate, estimate, key) for key, estimate in result["metrics"].items()},
        measurement=read(Measurement, result["verdict"], "verdict"),
        samples=RawLatencies(tuple(samples[::thin]), stride * thin),
        digest=result["manifest"]["model"]["digest"],
        isolation=result["manifest"]["isolation"],
        **more,
    )


def try_variant(
    variant: Variant, *, bench: Bench, baseline: Mapping[str, Any], follow: Follow
) -> tuple[Candidate, dict[str, Any], VariantComparison]:
    """Create, profile, compare and judge a variant; `baseline` is the baseline's result.

    Returns the candidate, its result and the comparison. Raises the errors of its maker, RunFailed and RunCanceled.
    """
    on_progress, should_stop = follow
    path = bench.folder / "variants" / f"{variant.name}.onnx"

    def within(start: float, end: float) -> Follow:
        return lambda share, doing: on_progress(start + share * (end - start), f"{variant.name}: {doing}"), should_stop

    path.parent.mkdir(parents=True, exist_ok=True)
    variant.make(path, within(0.0, MADE))
    result = bench.profile(path, "its estimates", within(MADE, PROFILED))
    compared = bench.sandbox.compare(
        baseline=bench.baseline,
        variant=path,
        rows=bench.rows,
        settings=bench.settings.comparison,
        follow=within(PROFILED, 1.0),
    )
    size_saved = saved_share("model_size_mb", baseline["metrics"], result["metrics"])
    blame = culprit(compared.baseline_operators_ms, compared.variant_operators_ms)
    candidate = described(
        result,
        name=variant.name,
        family=variant.family,
        made_by=variant.made_by,
        verdict=judge(compared, size_saved=size_saved, culprit=blame),
        file=str(path.relative_to(bench.folder)),
        quality_drop=compared.quality_drop,
        speed_up=compared.speed_up,
        size_saved_ratio=size_saved,
        memory_saved_ratio=saved_share("peak_memory_mb", baseline["metrics"], result["metrics"]),
    )
    return candidate, result, compared
