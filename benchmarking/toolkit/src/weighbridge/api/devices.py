"""`measure_on_devices`: the latency of a model in the browsers of other devices, and whether its answers agree."""

import dataclasses
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from weighbridge.api.data import Data, data_file
from weighbridge.api.documents import PathLike
from weighbridge.api.job_progress import NOBODY, Watcher, working_folder
from weighbridge.api.results import Result, metric_rows
from weighbridge.cli.tables.device_table import device_parts
from weighbridge.client.integrations.admission.server import tls_context
from weighbridge.core.errors import Invalid
from weighbridge.core.extras import ExtraMissing
from weighbridge.measure.inputs.settings import InputSettings
from weighbridge.measure.scenarios import ProfileSettings, SingleStream
from weighbridge.systems.device import link as links
from weighbridge.systems.device.job import DeviceJob, make_job
from weighbridge.systems.device.reference import reference_answers
from weighbridge.systems.device.runtime import BrowserRuntime, find_runtime
from weighbridge.systems.device.server import DeviceServer
from weighbridge.systems.device.session import Session
from weighbridge.systems.sandbox.bubblewrap import NO_LAYERS, layers_here
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.process import RunCanceled, RunFailed
from weighbridge.systems.target import NO_OPTIONS, Target

POLL_S = 0.25
MAX_WAIT = 1_000


@dataclasses.dataclass(frozen=True)
class DevicePage:
    """The page that measures: its link, the QR code as text, and who can reach it. `remark` says what it lacks."""

    link: str
    code: str
    is_reachable: bool
    remark: str = ""


def measure_on_devices(  # noqa: PLR0913 -- the options of the command line
    model: PathLike,
    *,
    data: Data | None = None,
    samples: int = 1_000,
    duration: float = 10.0,
    threads: int = 1,
    dims: Mapping[str, int] = NO_OPTIONS,
    inputs: Mapping[str, str] = NO_OPTIONS,
    state: Mapping[str, str] = NO_OPTIONS,
    tolerance: float | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: PathLike | None = None,
    wait: int = 1,
    wall: float = 3_600.0,
    runtime: PathLike | None = None,
    compare_here: bool = False,
    trust: bool = False,
    on_ready: Callable[[DevicePage], None] = lambda _: None,
    on_result: Callable[[Result], None] = lambda _: None,
    on_refusal: Callable[[str], None] = lambda _: None,
    watcher: Watcher = NOBODY,
) -> tuple[Result, ...]:
    """Serve a page that measures an ONNX file in the browser that opens it, until `wait` results have come.

    Inputs are made as `profile` makes them (`data`, `dims`, `inputs`, `state`). The page warms up, then times at least
    `samples` queries for at least `duration` seconds. `on_ready` gets the page once it answers, `on_result` each
    result, `on_refusal` the reason of each device that could not measure. `host` "0.0.0.0" lets other devices in; who
    has the link can then load the model. `tls` is a folder with `tls.crt` and `tls.key`. `runtime` is a folder with the
    npm package onnxruntime-web, by default the cache that `weighbridge device --install` fills.

    Each result is a `weighbridge.result/1` document with the statistics of `profile` on the samples of the device. Its
    `agreement` compares the answers with those of ONNX Runtime here, in the sandbox unless you `trust` the model;
    beyond `tolerance` (a share of the largest value of an output: 0.001, for float16 0.01) the result is invalid.
    `compare_here` adds a profile on this machine as `here`.

    Raises Invalid for input that cannot be measured, RunFailed if fewer results came within `wall` seconds, and
    RunCanceled if `watcher` stops it.
    """
    if not 1 <= wait <= MAX_WAIT:
        raise Invalid(f"The number of results to wait for must be 1 to {MAX_WAIT:,}.", field="wait")
    if tolerance is not None and not 0 <= tolerance < 1:
        raise Invalid("The tolerance must be at least 0 and below 1.", field="tolerance")
    files = find_runtime(Path(runtime) if runtime is not None else None)
    context = tls_context(Path(tls)) if tls is not None else None
    settings = ProfileSettings(
        scenario=SingleStream(min_samples=samples, min_duration_s=duration, threads=threads),
        inputs=InputSettings(dims=dict(dims), values=dict(inputs), state=dict(state)),
        measures_quality=False,
    )
    with working_folder() as folder:
        target = Target(
            model=Path(model), data=data_file(data, model=model, folder=folder), wall_s=wall, is_trusted=trust
        )
        job = make_job(Path(model), target.data, settings, name=Path(model).name)
        session = _session(job, target, files, folder, watcher, tolerance=tolerance, is_compared=compare_here)
        with _serving((host, port), session, files, context) as page:
            on_ready(page)
            return _results(session, wait, wall, watcher, on_result, on_refusal)


def _session(
    job: DeviceJob,
    target: Target,
    files: BrowserRuntime,
    folder: Path,
    watcher: Watcher,
    *,
    tolerance: float | None,
    is_compared: bool,
) -> Session:
    """Compute the answers to compare with, and the profile on this machine if it is asked for."""
    layers = NO_LAYERS if target.is_trusted else layers_here()
    reference = reference_answers(
        job.model,
        job.data,
        job.settings,
        layers=layers,
        limits=Limits(wall_s=target.wall_s),
        workdir=folder,
        follow=watcher.follow(),
    )
    here = target.measure(job.settings, follow=watcher.follow(), workdir=folder) if is_compared else None
    return Session(job, reference, files.version, tolerance=tolerance, here=here)


@contextmanager
def _serving(address: tuple[str, int], session: Session, files: BrowserRuntime, tls: Any) -> Iterator[DevicePage]:
    """Serve the page in a thread of its own."""
    with DeviceServer(address, session, files, tls=tls) as server:
        page = _page(address[0], server)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield page
            server.wait_for_answers()
        finally:
            server.shutdown()
            thread.join()


def _page(host: str, server: DeviceServer) -> DevicePage:
    scheme = "https" if server.tls is not None else "http"
    link = links.link_of(host, server.server_port, server.token, scheme=scheme)
    if host in links.LOOPBACK:
        return DevicePage(link, "", is_reachable=False)
    try:
        server.picture = links.code_as_svg(link)
        return DevicePage(link, links.code_as_text(link), is_reachable=True)
    except ExtraMissing as missing:
        return DevicePage(link, "", is_reachable=True, remark=f"There is no QR code. {missing.reason}")


def _results(
    session: Session,
    wait: int,
    wall: float,
    watcher: Watcher,
    on_result: Callable[[Result], None],
    on_refusal: Callable[[str], None],
) -> tuple[Result, ...]:
    """Wait for the results and hand each on as it comes."""
    found: list[Result] = []
    refused = 0
    until = time.monotonic() + wall
    while len(found) < wait:
        with session.changed:
            session.changed.wait(POLL_S)
            fresh, reasons = session.results[len(found) : wait], session.refusals[refused:]
        refused += len(reasons)
        for reason in reasons:
            on_refusal(reason)
        for document in fresh:
            found.append(_result_of(document))
            on_result(found[-1])
        came = f"{len(found)} of {wait} results came"
        if watcher.should_stop() and len(found) < wait:
            raise RunCanceled(f"Interrupted; {came}.")
        if time.monotonic() > until and len(found) < wait:
            raise RunFailed(f"{came} within {wall:g} s.", code="device_timeout")
        watcher.on_progress(len(found) / wait, "waiting for devices")
    return tuple(found)


def _result_of(document: Mapping[str, object]) -> Result:
    metrics: Mapping[str, Mapping[str, object]] = document["metrics"]  # type: ignore[assignment]  # our own document
    return Result(document, tuple(metric_rows(metrics)), lambda: device_parts(document))
