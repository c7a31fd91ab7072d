"""A profile on another machine: copies model and data there, measures with the toolkit there, and checks the result."""

import contextlib
import re
import shlex
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any

from weighbridge.core.converter import to_document
from weighbridge.core.errors import Invalid
from weighbridge.core.model_files.external_weights import name_of_weights, weight_files
from weighbridge.core.parsing.json_text import parse_object
from weighbridge.core.parsing.limits import MEASUREMENT
from weighbridge.measure.scenarios import MultiStream, Offline, ProfileSettings, Server
from weighbridge.systems.registry import system_for
from weighbridge.systems.remote.ssh import NO_COMMAND, Done, RemoteHost
from weighbridge.systems.sandbox.outcome import check_asked, check_duration, check_form, rejected_unless
from weighbridge.systems.sandbox.process import RunFailed, RunIncomplete
from weighbridge.systems.target import Target

FOLDER = re.compile(r"/[A-Za-z0-9_./+-]{1,200}")
VERSION = re.compile(r"weighbridge (\d[\w.+-]{0,40})")
MEASURED = (0, 1)
# The model has a folder of its own, because its weights may be in files of any name beside it.
MODEL, DATA = "model", "data.npz"
START_S, COPY_S, WRAP_UP_S = 60.0, 3_600.0, 60.0
PROGRAM = "weighbridge"


def profile_on(
    host: RemoteHost,
    target: Target,
    settings: ProfileSettings,
    *,
    program: str = PROGRAM,
    operators: bool = True,
    should_stop: Callable[[], bool] = lambda: False,
) -> dict[str, Any]:
    """Return the result of `weighbridge profile` on another machine, with its address as `measured_on`.

    `program` is the command there. Raises Invalid if the machine cannot be reached, has no toolkit or another version
    of it, or refuses the input; RunFailed if the run fails, or for a result that is not of this model, data and
    settings; and RunCanceled.
    """
    model = target.model
    if model is None or target.options:
        text = "Only model files can be measured on another machine; give one without --torch, --http or --system."
        raise Invalid(text, field="on")
    _check_version(host, program)
    with _folder(host) as folder:
        for name, file in _files_of(model, target.data):
            _copy(host, file, f"{folder}/{name}", should_stop)
        arguments = [f"{MODEL}/{model.name}", *(["--data", DATA] if target.data is not None else [])]
        arguments += [
            *arguments_of(settings, has_data=target.data is not None),
            "--wall",
            repr(target.wall_s),
            "--json",
            "-",
        ]
        arguments += [*(["--trust"] if target.is_trusted else []), *([] if operators else ["--no-operators"])]
        begun = time.monotonic()
        line = f"cd {shlex.quote(folder)} && {program} profile {shlex.join(arguments)}"
        limit_s = target.wall_s * 2 + WRAP_UP_S
        done = host.run(line, most=MEASUREMENT.bytes_max, limit_s=limit_s, should_stop=should_stop)
        took = timedelta(seconds=time.monotonic() - begun)
    return _result(host, done, model, target.data, settings, took)


def arguments_of(settings: ProfileSettings, *, has_data: bool) -> list[str]:
    """Return the arguments of `weighbridge profile` that give these settings, those of quality if there are data."""
    scenario, engine, inputs, answers = settings.scenario, settings.engine, settings.inputs, settings.answers
    values: dict[str, object] = {
        "--scenario": scenario.NAME,
        "--samples": scenario.min_samples,
        "--threads": scenario.threads,
        "--provider": engine.provider,
        "--optimization": engine.optimization,
        "--inter-op-threads": engine.inter_op_threads,
        "--affinity": ",".join(map(str, engine.affinity)),
        "--tdp-w": settings.tdp_w,
    }
    if has_data:
        values |= {"--output": answers.output, "--scores": answers.scores, "--threshold": answers.threshold}
    match scenario:
        case MultiStream():
            values["--batch"] = scenario.samples_per_query
        case Offline():
            values |= {"--batch": scenario.batch, "--concurrency": scenario.concurrency}
        case Server():
            values |= {"--rate": scenario.rate_per_s, "--limit-ms": scenario.limit_ms}
    pairs = {
        "--dim": {name: size or "rows" for name, size in inputs.dims.items()},
        "--input": inputs.values,
        "--state": inputs.state,
        "--provider-option": engine.options,
    }
    stated = [f"{option}={name}={value}" for option, named in pairs.items() for name, value in named.items()]
    stated += [f"--metric={name}" for name in settings.metrics if has_data]
    return [*(f"{option}={value}" for option, value in values.items() if value not in (None, "")), *stated]


def _check_version(host: RemoteHost, program: str) -> None:
    """Raise Invalid unless the machine has the toolkit in the version of this one."""
    done = host.run(f"{program} --version", limit_s=START_S)
    here = metadata.version("weighbridge")
    found = VERSION.search(done.output.decode(errors="replace"))
    if done.status == NO_COMMAND or found is None:
        text = (
            f"{host.label} has no {program}: install the toolkit there (version {here}), or give its command with "
            "--remote-command."
        )
        raise Invalid(text, code="remote_missing", field="remote_command")
    if found[1] != here:
        text = f"{host.label} has version {found[1]} of the toolkit, but this is {here}; install the same one."
        raise Invalid(text, code="remote_version", field="on")


@contextlib.contextmanager
def _folder(host: RemoteHost) -> Iterator[str]:
    """Yield a new folder on the machine that only its user can read; it is removed at the end."""
    done = host.run("umask 077 && mktemp -d", limit_s=START_S)
    folder = done.output.decode(errors="replace").strip()
    if done.status or not FOLDER.fullmatch(folder) or ".." in folder:
        raise Invalid(f"{host.label} cannot make a temporary folder: {done.error[-500:]}", field="on")
    try:
        yield folder
    finally:
        with contextlib.suppress(Invalid, RunIncomplete):
            host.run(f"rm -rf {shlex.quote(folder)}", limit_s=START_S)


def _files_of(model: Path, data: Path | None) -> Iterator[tuple[str, Path]]:
    """Yield the files that a run needs, with their names in the folder there; raise Invalid for a missing model."""
    if not model.is_file():
        raise Invalid(f"There is no model file {model.name}.", code="model_missing", field="model")
    yield f"{MODEL}/{model.name}", model
    for file in weight_files(model) if system_for(model) == "onnx" else ():
        yield f"{MODEL}/{name_of_weights(model, file)}", file
    if data is not None:
        yield DATA, data


def _copy(host: RemoteHost, file: Path, place: str, should_stop: Callable[[], bool]) -> None:
    line = f"mkdir -p {shlex.quote(str(PurePosixPath(place).parent))} && cat > {shlex.quote(place)}"
    done = host.run(line, stdin=file, limit_s=COPY_S, should_stop=should_stop)
    if done.status:
        raise Invalid(f"{file.name} cannot be copied to {host.label}: {done.error[-500:]}", field="on")


def _result(
    host: RemoteHost, done: Done, model: Path, data: Path | None, settings: ProfileSettings, took: timedelta
) -> dict[str, Any]:
    """Return the checked result of a run, or raise RunFailed with the reason that the machine gave."""
    if done.status not in MEASURED:
        reason = done.error.rpartition("weighbridge: ")[2][-500:] or f"it ended with status {done.status}"
        raise RunFailed(f"On {host.label}: {reason}", code="remote_refused")
    try:
        with rejected_unless("a result"):
            result = parse_object(done.output, name="The result", limits=MEASUREMENT)
            check_form(result)
            check_asked(result, model=model, data=data, settings=to_document(settings))
            check_duration(result, took)
    except RunFailed as failed:
        raise RunFailed(f"From {host.label}: {failed.reason}", code=failed.code) from failed
    return result | {"measured_on": host.address}
