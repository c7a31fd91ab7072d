"""What one run measures, and how: the workers of the server and workers on other machines execute the same."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from weighbridge.core.canonical import digest_of
from weighbridge.core.converter import from_document, to_document
from weighbridge.measure.quality.verdict import OWN_LABELS, with_own_labels_void
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.optimization.alternatives import AlternativesWanted, measure_alternatives
from weighbridge.quality.checks import is_perfect
from weighbridge.systems.sandbox.isolated import check_same_isolation, require_bubblewrap, run_isolated
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.process import RunFailed

Follow = tuple[Callable[[float, str], None], Callable[[], bool]]


class Fetch(Protocol):
    """Writes the file with a digest to a path that does not exist yet, and returns the path."""

    def __call__(self, digest: str, target: Path) -> Path: ...


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One model, the data, and either the settings of a profile or the alternatives that are wanted.

    `model` and `data` are digests ("" without data), `suffix` names the format of the model file, `system` loads it.
    `isolation` is that of the run that this one repeats, "" if it repeats none. Quality on a set that is not governed
    (`is_governed`) is void where the labels are the model's own answers.
    """

    model: str
    suffix: str
    system: str
    data: str
    is_governed: bool
    needs_wall: bool
    isolation: str
    wall_s: float
    memory_mb: int
    settings: ProfileSettings | None = None
    wanted: AlternativesWanted | None = None

    @property
    def digest(self) -> str:
        """The digest of the plan: everything that decides what is measured."""
        return digest_of(to_document(self))

    @property
    def files(self) -> tuple[str, ...]:
        """The digests of all files that the measurement needs, each once."""
        rivals = self.wanted.rivals if self.wanted else ()
        return tuple(dict.fromkeys(name for name in (self.model, self.data, *(each.digest for each in rivals)) if name))


@dataclass(frozen=True, kw_only=True)
class RunOrder:
    """A run that a worker holds: its number and key, the lease (renewed within `lease_s` seconds), and what to do."""

    run: int
    key: str
    lease: int
    lease_s: float
    measurement: Measurement


def read_order(document: Mapping[str, Any]) -> RunOrder:
    """Read an order as the server writes it; raise Invalid for anything else."""
    return from_document(RunOrder, document, name="order", advice="The server may have another version.")


def execute(
    measurement: Measurement, *, fetch: Fetch, folder: Path, follow: Follow, now: Callable[[], datetime]
) -> dict[str, Any]:
    """Measure in the sandbox, in `folder`, and return the result document.

    `follow` is `on_progress(share, doing)` and `should_stop()`, called at least once a second. Raises RunFailed,
    RunCanceled, Invalid, and whatever `fetch` and the callbacks raise.
    """
    model = fetch(measurement.model, folder / f"model{measurement.suffix}")
    data = fetch(measurement.data, folder / "data.npz") if measurement.data else None
    if measurement.isolation:
        check_same_isolation({"manifest": {"isolation": measurement.isolation}})
    if measurement.wanted is not None:
        return _alternatives(measurement, measurement.wanted, (model, data), fetch, folder, follow, now)
    on_progress, should_stop = follow
    result = run_isolated(
        model=model,
        settings=measurement.settings or ProfileSettings(),
        data=data,
        limits=_limits(measurement),
        on_progress=on_progress,
        should_stop=should_stop,
        workdir=folder,
        system=measurement.system,
        needs_wall=measurement.needs_wall,
    )
    return result if measurement.is_governed else with_own_labels_void(result)


def _limits(measurement: Measurement) -> Limits:
    return Limits(wall_s=measurement.wall_s, memory_mb=measurement.memory_mb)


def _alternatives(
    measurement: Measurement,
    wanted: AlternativesWanted,
    files: tuple[Path, Path | None],
    fetch: Fetch,
    folder: Path,
    follow: Follow,
    now: Callable[[], datetime],
) -> dict[str, Any]:
    model, data = files
    if data is None:
        raise RunFailed("Alternatives are measured on an evaluation set; this run names none.", code="data_missing")
    require_bubblewrap(needs_wall=measurement.needs_wall)
    rivals = {each.family: fetch(each.digest, folder / f"rival-{each.version_id}.onnx") for each in wanted.rivals}
    candidates = measure_alternatives(
        wanted,
        model=model,
        rivals=rivals,
        data=data,
        limits=_limits(measurement),
        folder=folder,
        follow=follow,
        now=now,
    )
    return candidates if measurement.is_governed else with_labels_checked(candidates)


def with_labels_checked(result: dict[str, Any]) -> dict[str, Any]:
    """Raise RunFailed if the labels are the answers of the model itself: its variants cannot be judged by them."""
    baseline = next(candidate for candidate in result["candidates"] if candidate["name"] == result["baseline"])
    accuracy = baseline["metrics"].get("accuracy")
    if accuracy is not None and is_perfect(accuracy["value"], accuracy["n"]):
        raise RunFailed(OWN_LABELS.message, code="quality_void")
    return result
