"""Sessions of a small classifier, and the reports that an honest page sends."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.unit.toolkit import builders
from weighbridge.core.converter import to_document
from weighbridge.measure.inputs.settings import InputSettings
from weighbridge.measure.scenarios import ProfileSettings, SingleStream
from weighbridge.systems.device import runtime
from weighbridge.systems.device.job import DeviceJob, make_job
from weighbridge.systems.device.reference import Reference, answer_queries
from weighbridge.systems.device.session import Session

DEVICE = {
    "browser": "Chrome 140",
    "platform": "Android",
    "is_mobile": True,
    "processors": 8,
    "memory_gb": 8,
    "adapter": None,
    "is_isolated": True,
}


def settings_of(*, samples: int = 200, threads: int = 1, **inputs: Any) -> ProfileSettings:
    scenario = SingleStream(min_samples=samples, min_duration_s=0.0, threads=threads)
    return ProfileSettings(scenario=scenario, inputs=InputSettings(**inputs), measures_quality=False)


def job_of(model: Path, data: Path | None = None, **settings: Any) -> DeviceJob:
    return make_job(model, data, settings_of(**settings), name=model.name)


def reference_of(job: DeviceJob) -> Reference:
    """The answers of ONNX Runtime, computed in this process: the model is of this project."""
    told = answer_queries(
        {
            "model": str(job.model),
            "data": str(job.data) if job.data else None,
            "settings": to_document(job.settings),
        },
        lambda *_: None,
        None,
    )
    from weighbridge.core.converter import from_document

    return from_document(Reference, told, name="answers")


def session_in(folder: Path, **options: Any) -> Session:
    """A session of a classifier of three classes, whose clock stands still at 1,000 s."""
    job = job_of(builders.classifier(folder / "m.onnx"))
    clock = builders.Clock()
    session = Session(job, reference_of(job), "1.30.0", monotonic=clock, **options)
    clock.now_ns = 1_000
    return session


def times(*latencies_ms: float) -> str:
    return base64.b64encode(np.array(latencies_ms, dtype="<f8").tobytes()).decode()


def steady(count: int = 800) -> str:
    """Times around 2 ms that depend on nothing."""
    return times(*np.random.default_rng(3).normal(2.0, 0.05, count))


def report_of(session: Session, run: str, **changes: Any) -> dict[str, Any]:
    """The report of an honest page of a device that took no time, because the clock of the session stands still."""
    return {
        "run": run,
        "digest": session.job.file.digest,
        "weights": session.job.file.weights,
        "backend": "wasm",
        "device": dict(DEVICE),
        "battery": {"first": 0.9, "last": 0.88, "is_charging": False},
        "pressure": "nominal",
        "resolution_ms": 0.005,
        "download_ms": 30.0,
        "runtime_ms": 500.0,
        "load_ms": 12.5,
        "first_ms": 3.5,
        "warm_up": {"inferences": 400, "duration_ms": 100.0, "values_ms": [2.0, 2.1] * 20},
        "block": 1,
        "duration_ms": 1_700.0,
        "latencies": steady(),
        "answers": to_document(session.reference.answers),
        **changes,
    }


def body_of(report: object) -> bytes:
    return json.dumps(report).encode()


def runtime_in(folder: Path) -> runtime.BrowserRuntime:
    """A folder with files of the names of ONNX Runtime for browsers."""
    folder.mkdir(exist_ok=True)
    for name in runtime.FILES:
        (folder / name).write_text(name)
    (folder / runtime.MANIFEST).write_text('{"version": "1.30.0"}')
    return runtime.find_runtime(folder)
