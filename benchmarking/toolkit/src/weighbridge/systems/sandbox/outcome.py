"""The outcome: whether what a child handed over is a result of the run that was asked for, or why there is none.

A model that owns its engine owns the process that writes the result, so nothing in it is believed that can be checked:
its form, which model, data and settings it speaks of, what fenced it in, when and for how long it ran, and its seal.
The metrics themselves stay the child's word.
"""

import dataclasses
import json
import math
import re
import signal
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Never

from weighbridge.core.canonical import canonical_bytes, canonical_json
from weighbridge.core.errors import Invalid
from weighbridge.measure.conditions.manifest import sealed
from weighbridge.measure.conditions.model_file import digest_of_file
from weighbridge.measure.measurement import SCHEMA
from weighbridge.systems.sandbox.limits import Limits
from weighbridge.systems.sandbox.process import Heard, RunFailed, printable

LONGEST_REASON = 2_000
# What Python, C++, OpenBLAS and the loader of libraries say when the limit of the address space is met.
OUT_OF_MEMORY = ("MemoryError", "bad_alloc", "Memory allocation", "failed to map segment")
CLOCK_SLACK = timedelta(seconds=2)
VERDICTS = ("valid", "indicative", "invalid")
CODE = re.compile(r"[a-z][a-z_]{0,39}")


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunOrder:
    """What was asked of the child, as its result has to say it."""

    model: Path
    data: Path | None
    settings: Mapping[str, Any]
    isolation: str
    begun_at: datetime
    ended_at: datetime


def read_outcome(heard: Heard, *, order: RunOrder | None, limits: Limits) -> dict[str, Any]:
    """Return the result that the child handed over; without an order (no fence, nothing to mistrust) its form is
    checked.

    Raises RunFailed with the child's reason, with ours where it died, or because its result is not of this order. Where
    it had handed over a part before it died, the exception's `partial` is that.
    """
    if heard.status != 0 or not heard.outcome:
        failed = death(heard, limits=limits)
        failed.partial = partial_of(heard, order=order)
        raise failed
    return _last(bytes(heard.outcome), order)


def partial_of(heard: Heard | None, *, order: RunOrder | None) -> dict[str, Any] | None:
    """Return what a child that did not come to its end had handed over by then; None where that is no result."""
    whole_lines = bytes(heard.outcome).rpartition(b"\n")[0] if heard is not None else b""
    try:
        found = _last(whole_lines, order)
    except RunFailed:
        return None
    return found if found.get("is_partial") is True else None


def _last(outcomes: bytes, order: RunOrder | None) -> dict[str, Any]:
    """Return the last of the results that were handed over, a line each, checked against the order where
    there is one.
    """
    try:
        text = outcomes.rstrip(b"\n").rpartition(b"\n")[2]
        said = json.loads(text, parse_constant=_refuse_constant)
        if "refusal" in said:
            raise _refusal(said["refusal"])
        result: dict[str, Any] = said["result"]
        _check_form(result)
        if order is not None:
            _check_order(result, order)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError, Invalid) as error:
        raise forged("it has not the form of a result") from error
    return result


def read_answer(heard: Heard, *, limits: Limits) -> dict[str, Any]:
    """Return what a child handed over that is no measurement, unchecked; raise RunFailed with its reason,
    or with ours.
    """
    if heard.fence is None or heard.status != 0 or not heard.outcome:
        raise death(heard, limits=limits)
    try:
        said = json.loads(bytes(heard.outcome), parse_constant=_refuse_constant)
        if "refusal" in said:
            raise _refusal(said["refusal"])
        answer: dict[str, Any] = dict(said["result"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise forged("it has not the form of an answer") from error
    return answer


def forged(why: str) -> RunFailed:
    """Return the refusal of a result that cannot be of the run that was asked for."""
    text = (
        f"The run handed over a result that is refused: {why}. Nothing of it was kept; the model may have tampered "
        "with its run."
    )
    return RunFailed(text, code="run_forged")


def _refuse_constant(constant: str) -> Never:
    raise ValueError(f"{constant} is no number")


def _refusal(said: Mapping[str, Any]) -> RunFailed:
    """Pass the child's refusal on, as text that can be stored."""
    code, field = str(said["code"]), said["field"]
    return RunFailed(
        printable(str(said["reason"]), most=LONGEST_REASON),
        code=code if CODE.fullmatch(code) else RunFailed.default_code,
        field=field if isinstance(field, str) and CODE.fullmatch(field) else None,
    )


def _check_form(result: dict[str, Any]) -> None:
    """Raise one of Python's errors, or RunFailed, unless everything is where readers of results look for it."""
    # Text that a database cannot hold, numbers that are none: the canonical form refuses both, but for the first.
    if b"\\u0000" in canonical_bytes(result):
        raise forged("it holds zero characters")
    if result["schema"] != SCHEMA:
        raise forged("it has another schema")
    if result["verdict"]["status"] not in VERDICTS:
        raise forged("its verdict is none")
    for reason in result["verdict"]["reasons"]:
        reason["code"].strip(), reason["message"].strip()
    for metric in result["metrics"].values():
        for number in (metric["value"], metric.get("lower"), metric.get("upper")):
            # Raises for what is no number, and for whole numbers that no reader can hold.
            math.isfinite(0 if number is None else number)


def _check_order(result: dict[str, Any], order: RunOrder) -> None:
    manifest = result["manifest"]
    measured_at = datetime.fromisoformat(result["measured_at"])
    checks: tuple[tuple[str, Callable[[], bool]], ...] = (
        ("its manifest was changed after it was sealed", lambda: sealed(manifest)["digest"] == manifest["digest"]),
        ("it speaks of another model", lambda: manifest["model"]["digest"] == digest_of_file(order.model)),
        ("it speaks of other data", lambda: manifest["data"] == _data(order.data)),
        ("it was measured with other settings", lambda: _is_same(manifest["settings"], order.settings)),
        ("it tells of another fence", lambda: manifest["isolation"] == order.isolation),
        (
            "it was measured at another time",
            lambda: order.begun_at - CLOCK_SLACK <= measured_at <= order.ended_at + CLOCK_SLACK,
        ),
        (
            "it claims to have run for longer than the child lived",
            lambda: 0 <= result["run"]["duration_s"] <= (order.ended_at - order.begun_at + CLOCK_SLACK).total_seconds(),
        ),
    )
    for why, holds in checks:
        if not holds():
            raise forged(why)


def _data(path: Path | None) -> dict[str, str] | None:
    return {"digest": digest_of_file(path)} if path is not None else None


def _is_same(claimed: object, asked: Mapping[str, Any]) -> bool:
    return canonical_json(claimed) == canonical_json(asked)


def death(heard: Heard, *, limits: Limits) -> RunFailed:
    """Put the end of a child that left no outcome into words."""
    status = heard.status
    if status == -signal.SIGXCPU:
        return RunFailed(f"The run used its {limits.cpu_s} s of processor time and was stopped.", code="run_cpu")
    if status == -signal.SIGKILL:
        text = "The run was killed by the system; most often the machine has run out of memory."
        return RunFailed(text, code="run_killed")
    tail = heard.tail.decode(errors="replace").strip()
    if any(sign in tail for sign in OUT_OF_MEMORY):
        return RunFailed(f"The run went over its {limits.memory_mb} MB of memory.", code="model_memory")
    how = f"by signal {_signal(-status)}" if status < 0 else f"with exit status {status}"
    last = printable(tail.splitlines()[-1], most=LONGEST_REASON) if tail else "it said nothing"
    return RunFailed(f"The run ended {how} and left no result: {last}", code="run_crash")


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)
