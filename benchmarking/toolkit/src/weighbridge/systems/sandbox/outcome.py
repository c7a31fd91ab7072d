"""Validation of the outcome of a child process.

A malicious model can control the process that writes the result, so everything that can be checked is checked: format,
model, data, settings, isolation, time and duration of the run, and the digest of the manifest. The metric values
themselves cannot be checked.
"""

import contextlib
import dataclasses
import math
import re
import signal
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from weighbridge.core.canonical import canonical_bytes, canonical_json
from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.core.parsing.limits import MEASUREMENT
from weighbridge.measure.conditions.manifest import seal_manifest
from weighbridge.measure.conditions.model_file import file_entry, model_entry
from weighbridge.measure.results.document import SCHEMA
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.process import ChildOutput, RunFailed, sanitize_text

MAX_REASON_CHARS = 2_000
# Messages of Python, C++, OpenBLAS and the library loader at the limit of the address space.
OUT_OF_MEMORY = ("MemoryError", "bad_alloc", "Memory allocation", "failed to map segment")
CLOCK_SLACK = timedelta(seconds=2)
VERDICTS = ("valid", "indicative", "invalid")
CODE = re.compile(r"[a-z][a-z_]{0,39}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExpectedRun:
    """The requested run, which the result must match."""

    model: Path
    data: Path | None
    settings: Mapping[str, Any]
    isolation: str
    begun_at: datetime
    ended_at: datetime


def read_outcome(output: ChildOutput, *, expected: ExpectedRun | None, limits: Limits) -> dict[str, Any]:
    """Return the result of a child; without `expected` (trusted code), only its format is checked.

    Raises RunFailed with the reason of the child, if it crashed, or if its result does not match. If it wrote a partial
    result before it crashed, the exception has it in `partial`.
    """
    if output.status != 0 or not output.outcome:
        failed = exit_failure(output, limits=limits)
        failed.partial = partial_of(output, expected=expected)
        raise failed
    return _last(bytes(output.outcome), expected)


def partial_of(output: ChildOutput, *, expected: ExpectedRun | None) -> dict[str, Any] | None:
    """Return the partial result of a child that was stopped; None if there is no valid one."""
    try:
        result = _last(bytes(output.outcome).rpartition(b"\n")[0], expected)
    except RunFailed:
        return None
    return result if result.get("is_partial") is True else None


def _last(outcomes: bytes, expected: ExpectedRun | None) -> dict[str, Any]:
    """Return the last result (one per line), checked against `expected` if given."""
    with rejected_unless("a result"):
        result = result_in(outcomes.rstrip(b"\n").rpartition(b"\n")[2])
        check_form(result)
        if expected is not None:
            _check_expected(result, expected)
    return result


def read_answer(output: ChildOutput, *, limits: Limits) -> dict[str, Any]:
    """Return the answer of a child that does not measure, unchecked; raise RunFailed if it failed or crashed."""
    if output.seals is None or output.status != 0 or not output.outcome:
        raise exit_failure(output, limits=limits)
    with rejected_unless("an answer"):
        return result_in(bytes(output.outcome))


def result_in(outcome: bytes) -> dict[str, Any]:
    """Return the result in an outcome; raise RunFailed for a refusal, and built-in errors for anything else."""
    try:
        document = parse_json(outcome, limits=MEASUREMENT)
    except Invalid:
        document = parse_json(outcome, limits=MEASUREMENT, is_cleaning=True)
        if "refusal" not in document:  # the reason of a refusal may quote a name with any character
            raise
    if "refusal" in document:
        raise _refusal(document["refusal"])
    return dict(document["result"])


@contextlib.contextmanager
def rejected_unless(what: str) -> Iterator[None]:
    """Raise RunFailed for a result that raises an error because it does not have the format of `what`."""
    try:
        yield
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError, Invalid) as error:
        raise forged_result(f"it does not have the format of {what}") from error


def forged_result(why: str) -> RunFailed:
    """Return the error for a result that cannot come from the requested run."""
    text = f"The result of the run was rejected: {why}. It was discarded; the model may have tampered with its run."
    return RunFailed(text, code="run_forged")


def _refusal(document: Mapping[str, Any]) -> RunFailed:
    """Return the refusal of the child as text that is safe to store."""
    code, field = str(document["code"]), document["field"]
    return RunFailed(
        sanitize_text(str(document["reason"]), most=MAX_REASON_CHARS),
        code=code if CODE.fullmatch(code) else RunFailed.default_code,
        field=field if isinstance(field, str) and CODE.fullmatch(field) else None,
    )


def check_form(result: dict[str, Any]) -> None:
    """Raise a built-in error or RunFailed unless the result has the expected format."""
    canonical_bytes(result)  # the form that is signed and stored; it refuses what the reader of JSON left
    if result["schema"] != SCHEMA:
        raise forged_result("it has another schema")
    if result["verdict"]["status"] not in VERDICTS:
        raise forged_result("its verdict is invalid")
    for reason in result["verdict"]["reasons"]:
        reason["code"].strip(), reason["message"].strip()
    quality = result.get("quality_verdict")
    if quality is not None and quality["status"] not in VERDICTS:
        raise forged_result("the verdict on its quality is invalid")
    for reason in quality["reasons"] if quality is not None else ():
        reason["code"].strip(), reason["message"].strip(), reason["status"].strip()
    for metric in result["metrics"].values():
        for number in (metric["value"], metric.get("lower"), metric.get("upper"), metric.get("n")):
            # Raises for values that are not numbers, and for integers too large for a float.
            math.isfinite(0 if number is None else number)


def _check_expected(result: dict[str, Any], expected: ExpectedRun) -> None:
    check_asked(result, model=expected.model, data=expected.data, settings=expected.settings)
    measured_at = datetime.fromisoformat(result["measured_at"])
    if result["manifest"]["isolation"] != expected.isolation:
        raise forged_result("it reports another isolation")
    if not expected.begun_at - CLOCK_SLACK <= measured_at <= expected.ended_at + CLOCK_SLACK:
        raise forged_result("it was measured at another time")
    check_duration(result, expected.ended_at - expected.begun_at)


def check_asked(result: dict[str, Any], *, model: Path, data: Path | None, settings: Mapping[str, Any]) -> None:
    """Raise RunFailed unless a result is for this model, data and settings, and its manifest is sealed."""
    manifest = result["manifest"]
    if seal_manifest(manifest)["digest"] != manifest["digest"]:
        raise forged_result("its manifest was changed after it was sealed")
    measured = {name: manifest["model"][name] for name in ("digest", "weights") if name in manifest["model"]}
    if measured != model_entry(model):
        raise forged_result("it is for another model")
    if manifest["data"] != file_entry(data):
        raise forged_result("it is for other data")
    if canonical_json(manifest["settings"]) != canonical_json(settings):
        raise forged_result("it was measured with other settings")


def check_duration(result: dict[str, Any], longest: timedelta) -> None:
    """Raise RunFailed for a result that claims a longer run than there was time for."""
    if not 0 <= result["run"]["duration_s"] <= (longest + CLOCK_SLACK).total_seconds():
        raise forged_result("it claims a longer duration than the child ran")


def exit_failure(output: ChildOutput, *, limits: Limits) -> RunFailed:
    """Return the error for a child that ended without an outcome."""
    status = output.status
    if status == -signal.SIGXCPU:
        return RunFailed(f"The run used its {limits.cpu_s} s of processor time and was stopped.", code="run_cpu")
    if status == -signal.SIGKILL:
        text = "The run was killed by the system, probably because the machine ran out of memory."
        return RunFailed(text, code="run_killed")
    tail = output.tail.decode(errors="replace").strip()
    if any(sign in tail for sign in OUT_OF_MEMORY):
        return RunFailed(f"The run exceeded its {limits.memory_mb} MB of memory.", code="model_memory")
    how = f"by signal {_signal(-status)}" if status < 0 else f"with exit status {status}"
    last = sanitize_text(tail.splitlines()[-1], most=MAX_REASON_CHARS) if tail else "no output"
    return RunFailed(f"The run ended {how} without a result: {last}", code="run_crash")


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
