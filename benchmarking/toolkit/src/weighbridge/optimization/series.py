"""Series: the baseline and its variants, one trial after the other; finished trials are stored and not repeated.

A finished trial writes `variants/NAME.record.json` in the folder, under a digest of everything that determines its
estimates: model, rows, recipe, settings, libraries, machine. The same series, started again, continues from there.
"""

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from weighbridge.core.canonical import digest_of
from weighbridge.core.converter import to_document
from weighbridge.core.errors import Invalid, Refused
from weighbridge.core.parsing.json_text import read_json
from weighbridge.core.parsing.limits import MEASUREMENT
from weighbridge.measure.conditions import manifest
from weighbridge.measure.conditions.model_file import digest_of_file, file_entry
from weighbridge.optimization.trial import Bench, Variant, described, try_variant
from weighbridge.optimization.variant_sandbox import Follow
from weighbridge.systems.sandbox.process import RunCanceled
from weighbridge.tradeoff.candidates import Candidate, Candidates, VariantAnswer, VariantVerdict, VerdictReason
from weighbridge.tradeoff.shapes import read

BASELINE = "fp32"
LIBRARIES = (*manifest.LIBRARIES, "torch")


@dataclasses.dataclass(frozen=True)
class Trial:
    """A finished trial: the candidate, and the noise floor of its comparison."""

    candidate: Candidate
    noise_floor: float | None = None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Series:
    """The variants to try and the bench; `calibration` describes the calibration rows for the manifest."""

    bench: Bench
    variants: Sequence[Variant]
    calibration: Path
    family: str
    made_by: str = "the model as it was given"
    left_out: tuple[str, ...] = ()

    def manifest(self) -> dict[str, Any]:
        """Return everything that determines the estimates, with a digest."""
        return manifest.seal_manifest(
            {
                "model": file_entry(self.bench.baseline),
                "data": file_entry(self.bench.rows),
                "calibration": file_entry(self.calibration),
                "settings": to_document(self.bench.settings),
                "libraries": manifest.library_versions(LIBRARIES),
                "machine": manifest.describe_machine(),
                "left_out": list(self.left_out),
            }
        )


def run(
    series: Series, *, follow: Follow, now: Callable[[], datetime], keep: Callable[[Candidates], None]
) -> Candidates:
    """Try all variants and return all candidates; `keep` gets the partial candidates after each trial.

    A variant that cannot be created or measured is a failed candidate with the reason. Raises RunFailed if the baseline
    cannot be measured, RunCanceled, and exceptions of the callbacks: then the last call of `keep` has the results.
    """
    sealed = series.manifest()
    done: list[Trial] = []
    for trial in _trials(series, sealed, follow):
        done.append(trial)
        keep(_together(done, sealed, now(), is_partial=len(done) <= len(series.variants)))
    return _together(done, sealed, now(), is_partial=False)


def _together(trials: Sequence[Trial], sealed: Mapping[str, Any], at: datetime, *, is_partial: bool) -> Candidates:
    floors = [trial.noise_floor for trial in trials if trial.noise_floor is not None]
    found = Candidates(
        measured_at=at.isoformat(),
        baseline=BASELINE,
        is_partial=is_partial,
        noise_floor=max(floors, default=None),
        candidates=tuple(trial.candidate for trial in trials),
    )
    # The isolation does not affect estimates, so it is not part of a trial's key and is only known now.
    return dataclasses.replace(found, manifest=manifest.seal_manifest({**sealed, "isolation": found.isolation()}))


def _trials(series: Series, sealed: Mapping[str, Any], follow: Follow) -> Iterator[Trial]:
    on_progress, should_stop = follow
    steps = len(series.variants) + 1

    def step(number: int) -> Follow:
        return lambda share, doing: on_progress((number + share) / steps, doing), should_stop

    baseline = _kept(series, sealed, BASELINE, {}) or _baseline(series, sealed, step(0))
    result = read_json(_file(series, BASELINE, "result"), limits=MEASUREMENT)
    yield baseline
    for number, variant in enumerate(series.variants, start=1):
        yield _kept(series, sealed, variant.name, variant.key) or _tried(series, sealed, variant, result, step(number))


def _baseline(series: Series, sealed: Mapping[str, Any], follow: Follow) -> Trial:
    result = series.bench.profile(series.bench.baseline, BASELINE, follow)
    candidate = described(
        result,
        name=BASELINE,
        family=series.family,
        made_by=series.made_by,
        verdict=VariantVerdict(VariantAnswer.BASELINE),
        result_file=_name(BASELINE, "result"),
    )
    return _store(series, sealed, Trial(candidate), {}, result)


def _tried(
    series: Series, sealed: Mapping[str, Any], variant: Variant, baseline: Mapping[str, Any], follow: Follow
) -> Trial:
    try:
        candidate, result, compared = try_variant(variant, bench=series.bench, baseline=baseline, follow=follow)
    except RunCanceled:
        raise
    except Refused as refused:
        return Trial(failed_candidate(variant.name, variant.family, variant.made_by, refused))
    candidate = dataclasses.replace(candidate, result_file=_name(variant.name, "result"))
    return _store(series, sealed, Trial(candidate, compared.noise_floor), variant.key, result)


def failed_candidate(name: str, family: str, made_by: str, refused: Refused) -> Candidate:
    """Return the candidate for a model that could not be created or measured."""
    failed = VariantVerdict(VariantAnswer.FAILED, (VerdictReason(refused.code, refused.reason),))
    return Candidate(name=name, family=family, made_by=made_by, metrics={}, verdict=failed)


def _store(
    series: Series, sealed: Mapping[str, Any], trial: Trial, key: Mapping[str, Any], result: Mapping[str, Any]
) -> Trial:
    """Write a trial's result before its record, so that a record never refers to a missing result."""
    name = trial.candidate.name
    document = {"key": _key(sealed, name, key), **dataclasses.asdict(trial)}
    for kind, content in (("result", result), ("record", document)):
        path = _file(series, name, kind)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_suffix(".part").write_text(json.dumps(content))
        path.with_suffix(".part").replace(path)
    return trial


def _kept(series: Series, sealed: Mapping[str, Any], name: str, key: Mapping[str, Any]) -> Trial | None:
    """Return the trial of an earlier series under the same conditions, if its files are unchanged."""
    try:
        document = read_json(_file(series, name, "record"), limits=MEASUREMENT)
        if document["key"] != _key(sealed, name, key):
            return None
        trial = read(Trial, document)
        file = trial.candidate.file
        model = series.bench.folder / file if file else series.bench.baseline
        is_unchanged = digest_of_file(model) == trial.candidate.digest and _file(series, name, "result").exists()
        return trial if is_unchanged else None
    except (OSError, ValueError, KeyError, TypeError, Invalid):
        return None


def _key(sealed: Mapping[str, Any], name: str, key: Mapping[str, Any]) -> str:
    conditions = {part: content for part, content in sealed.items() if part not in ("digest", "left_out")}
    return digest_of({"conditions": conditions, "name": name, "key": dict(key)})


def _name(name: str, kind: str) -> str:
    return f"variants/{name}.{kind}.json"


def _file(series: Series, name: str, kind: str) -> Path:
    return series.bench.folder / _name(name, kind)
