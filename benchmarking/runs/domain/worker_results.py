"""Checks of a result that a worker on another machine sent, which need not be well-formed.

The signature says who measured. These checks say that the result has the form of one, and is about the run that was
ordered: the same model, data and settings, inside the sandbox that was demanded, in the time that has passed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

from benchmarking.runs.domain.alternatives import pictures_of, variant_lines_of
from benchmarking.runs.domain.metrics import metrics_of
from weighbridge.client.worker.measurement import Measurement, with_labels_checked
from weighbridge.core.attestation import CLOCK_TOLERANCE
from weighbridge.core.canonical import canonical_json
from weighbridge.core.converter import to_document
from weighbridge.core.errors import Invalid, Refused, WrongState
from weighbridge.measure.conditions.manifest import seal_manifest
from weighbridge.measure.quality.verdict import with_own_labels_void
from weighbridge.optimization.alternatives import ALTERNATIVES
from weighbridge.systems.sandbox.bubblewrap import uses_bubblewrap
from weighbridge.systems.sandbox.outcome import VERDICTS, check_duration, check_form
from weighbridge.tradeoff.candidates import candidates_from

MALFORMED = (ValueError, TypeError, LookupError, AttributeError, RecursionError, ArithmeticError, StopIteration)


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """What was ordered, and between which times by the clock of the server it was measured."""

    measurement: Measurement
    claimed_at: datetime
    ended_at: datetime


def check_clock(at: datetime, *, now: datetime) -> None:
    """Raise WrongState if the clock of a worker is not that of the server: its results would carry wrong times."""
    apart = at - now
    if abs(apart) > CLOCK_TOLERANCE:
        side = "ahead of" if apart > timedelta(0) else "behind"
        text = f"The clock of this worker is {_words(abs(apart))} {side} that of the server. Set the wrong one right."
        raise WrongState(text, code="clock", field="at")


def check_result(result: dict[str, Any], assignment: Assignment) -> None:
    """Raise Invalid unless the document is a result of this assignment."""
    try:
        if assignment.measurement.wanted is not None:
            _check_alternatives(result, assignment.measurement)
        else:
            _check_profile(result, assignment)
        _check_manifest(result["manifest"], assignment.measurement)
        _check_times(datetime.fromisoformat(result["measured_at"]), assignment)
        _check_shown(result)
    except Refused as refused:
        raise _refused(refused.reason) from refused
    except MALFORMED as error:
        raise _refused("It does not have the form of a result.") from error


def _check_profile(result: dict[str, Any], assignment: Assignment) -> None:
    measurement = assignment.measurement
    check_form(result)
    check_duration(result, assignment.ended_at - assignment.claimed_at)
    settings = canonical_json(result["manifest"]["settings"])
    if result.get("is_partial") or settings != canonical_json(to_document(measurement.settings)):
        raise Invalid("It is partial, or was measured with other settings.")
    if not measurement.is_governed and with_own_labels_void(result) != result:
        raise Invalid("Its labels are the model's own answers, so its quality is void.")


def _check_alternatives(result: dict[str, Any], measurement: Measurement) -> None:
    candidates_from(result)
    if result["scenario"] != ALTERNATIVES:
        raise Invalid("It is of another scenario.")
    if result["verdict"]["status"] not in VERDICTS or result.get("is_partial"):
        raise Invalid("Its verdict is invalid, or it is partial.")
    if not measurement.is_governed:
        with_labels_checked(result)


def _check_manifest(manifest: Mapping[str, Any], measurement: Measurement) -> None:
    if seal_manifest(manifest)["digest"] != manifest["digest"]:
        raise Invalid("Its manifest was changed after it was sealed.")
    data = {"digest": measurement.data} if measurement.data else None
    if manifest["model"]["digest"] != measurement.model or "weights" in manifest["model"]:
        raise Invalid("It is about another model.")
    if measurement.wanted is None and manifest["data"] != data:
        raise Invalid("It is about other data.")
    if measurement.needs_wall and not uses_bubblewrap(manifest["isolation"]):
        raise Invalid("It was measured without bubblewrap, which this model requires.")


def _check_times(measured_at: datetime, assignment: Assignment) -> None:
    earliest, latest = assignment.claimed_at - CLOCK_TOLERANCE, assignment.ended_at + CLOCK_TOLERANCE
    if measured_at.utcoffset() is None or not earliest <= measured_at <= latest:
        raise Invalid("It was measured at another time than the lease lasted.")


def _check_shown(result: Mapping[str, Any]) -> None:
    """Read the document as pages and evidence do; they must not meet a form that they cannot read."""
    for entry in result["metrics"].values():
        _check_metric(entry)
    metrics_of(dict(result))
    for reason in result["verdict"]["reasons"]:
        reason["code"].strip(), reason["message"].strip()
    variant_lines_of(result)
    pictures_of(result)


def _check_metric(entry: Mapping[str, Any]) -> None:
    numbers = [entry["value"], *(entry.get(name) for name in ("lower", "upper", "confidence"))]
    n, unit = entry.get("n"), entry["unit"]
    are_numbers = all(number is None or (type(number) in (int, float) and isfinite(number)) for number in numbers)
    if not are_numbers or not isinstance(unit, str) or not (n is None or (type(n) is int and n >= 0)):
        raise Invalid("One of its values is not a number with a unit.")


def _refused(why: str) -> Invalid:
    return Invalid(f"The result was refused, and did not end the run. {why}", code="result_refused", field="file")


def _words(apart: timedelta) -> str:
    minutes = round(apart / timedelta(minutes=1))
    return f"{minutes // 60} hours" if minutes >= 120 else f"{minutes} minutes"
