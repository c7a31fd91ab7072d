"""Results of workers elsewhere: what fits an assignment, and everything else; clocks; ranges of bytes."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarking.runs.domain.byte_ranges import first_byte
from benchmarking.runs.domain.worker_results import Assignment, check_clock, check_result
from tests.factories.alternatives import metric_value
from tests.factories.requests import result_of
from tests.refusals import has_code
from weighbridge.client.worker.measurement import Measurement
from weighbridge.core.converter import to_document
from weighbridge.core.errors import Invalid, WrongState
from weighbridge.measure.conditions.manifest import seal_manifest
from weighbridge.measure.scenarios import ProfileSettings
from weighbridge.optimization.alternatives import AlternativesWanted
from weighbridge.systems.sandbox.bubblewrap import BUBBLEWRAP

NOW = datetime(2026, 7, 1, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
A, B = ("sha256:" + letter * 64 for letter in "ab")
PROFILE = Measurement(
    model=A,
    suffix=".onnx",
    system="onnx",
    data=B,
    is_governed=True,
    needs_wall=True,
    isolation="",
    wall_s=900,
    memory_mb=8_192,
    settings=ProfileSettings(),
)
WANTED = AlternativesWanted(variants=("int8-dynamic",), max_quality_drop=0.01, calibration_rows=8)
ALTERNATIVES = replace(PROFILE, settings=None, wanted=WANTED)


def assigned(measurement: Measurement = PROFILE) -> Assignment:
    return Assignment(measurement=measurement, claimed_at=NOW - MINUTE, ended_at=NOW)


def profile(**fields: Any) -> dict[str, Any]:
    described = {
        "model": {"digest": A},
        "data": {"digest": B},
        "settings": to_document(ProfileSettings()),
        "isolation": BUBBLEWRAP,
    }
    result = {**result_of(), "measured_at": NOW.isoformat(), "run": {"duration_s": 30.0}, **fields}
    return {**result, "manifest": seal_manifest(described)}


def alternatives(*, accuracy: float = 0.86, **fields: Any) -> dict[str, Any]:
    """One variant, as `as_result` writes it."""
    candidate = {
        "name": "fp32",
        "family": "",
        "made_by": "as it was given",
        "metrics": {"accuracy": metric_value(accuracy, min(accuracy, 0.8), accuracy, unit="ratio")},
        "verdict": {"answer": "baseline", "reasons": []},
    }
    document = {
        "schema": "weighbridge.candidates/1",
        "scenario": "alternatives",
        "measured_at": NOW.isoformat(),
        "baseline": "fp32",
        "candidates": [candidate],
        "verdict": {"status": "valid", "reasons": []},
        "metrics": {"alternatives_measured": metric_value(1.0, unit="variants")},
        "standings": {"fp32": "frontier (P 1.00)"},
        "charts": [],
        "manifest": seal_manifest({"model": {"digest": A}, "data": {"digest": A}, "isolation": BUBBLEWRAP}),
    }
    return document | fields


def test_a_profile_and_alternatives_that_fit() -> None:
    check_result(profile(), assigned())
    check_result(alternatives(), assigned(ALTERNATIVES))
    check_result(alternatives(), assigned(replace(ALTERNATIVES, is_governed=False)))
    check_result(profile(), assigned(replace(PROFILE, is_governed=False)))


WRONG: dict[str, tuple[dict[str, Any], Measurement, str]] = {
    "a profile for alternatives": (profile(), ALTERNATIVES, "must be weighbridge.candidates/1"),
    "alternatives for a profile": (alternatives(), PROFILE, "another schema"),
    "another scenario": (alternatives(scenario="Offline"), ALTERNATIVES, "another scenario"),
    "no scenario": ({k: v for k, v in alternatives().items() if k != "scenario"}, ALTERNATIVES, "have the form"),
    "a partial one": (alternatives(is_partial=True), ALTERNATIVES, "it is partial"),
    "an own verdict": (alternatives(verdict={"status": "fine", "reasons": []}), ALTERNATIVES, "verdict is invalid"),
    "no candidate": (alternatives(candidates=[]), ALTERNATIVES, "is not among the candidates"),
    "a chart without a title": (alternatives(charts=[{"name": "c"}]), ALTERNATIVES, "have the form"),
    "charts that are none": (alternatives(charts=[3]), ALTERNATIVES, "have the form"),
    "own answers": (
        alternatives(accuracy=1.0) | {"candidates": [alternatives(accuracy=1.0)["candidates"][0]]},
        replace(ALTERNATIVES, is_governed=False),
        "labels are the model's own answers",
    ),
    "void quality": (
        profile(metrics={"accuracy": metric_value(1.0, 0.99, 1.0, unit="ratio")}),
        replace(PROFILE, is_governed=False),
        "its quality is void",
    ),
    "a number as text": (profile(metrics={"latency_p95_ms": {"value": "1e999999", "unit": "ms"}}), PROFILE, "form"),
    "an endless number": (
        alternatives(metrics={"alternatives_measured": {"value": "Infinity", "unit": "variants"}}),
        ALTERNATIVES,
        "not a number",
    ),
    "a share of a sample": (
        alternatives(metrics={"alternatives_measured": {"value": 1, "unit": "variants", "n": 1.5}}),
        ALTERNATIVES,
        "not a number",
    ),
    "no unit": (
        alternatives(metrics={"alternatives_measured": {"value": 1, "unit": None}}),
        ALTERNATIVES,
        "not a number",
    ),
    "another model": (profile(), replace(PROFILE, model=B), "another model"),
    "without a wall": (
        alternatives(manifest=seal_manifest({"model": {"digest": A}, "isolation": "Landlock"})),
        ALTERNATIVES,
        "without bubblewrap",
    ),
    "without data": (profile(), replace(PROFILE, data=""), "other data"),
    "longer than there was time": (profile(run={"duration_s": 90.0}), PROFILE, "longer duration"),
    "before it was claimed": (profile(measured_at=(NOW - 7 * MINUTE).isoformat()), PROFILE, "at another time"),
    "after it was sent": (profile(measured_at=(NOW + 6 * MINUTE).isoformat()), PROFILE, "at another time"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_does_not_fit_is_refused_in_words(what: str) -> None:
    result, measurement, words = WRONG[what]
    with pytest.raises(Invalid, match=words, check=has_code("result_refused")):
        check_result(result, assigned(measurement))


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, inner in items for deeper in paths(inner, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], to: object) -> Any:
    if not path:
        return to
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(value[path[0]], path[1:], to)
    return copy


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(("make", "measurement"), [(profile, PROFILE), (alternatives, ALTERNATIVES)])
@given(data=st.data())
def test_no_change_of_a_result_is_an_error_of_ours(
    make: Callable[[], dict[str, Any]], measurement: Measurement, data: st.DataObject
) -> None:
    """It is taken, or refused with a reason, wherever a worker puts whatever value."""
    result = make()
    path = data.draw(st.sampled_from(paths(result)[1:]))
    with suppress(Invalid):
        check_result(changed(result, path, data.draw(JSON)), assigned(measurement))


@pytest.mark.parametrize(
    ("apart", "words"),
    [
        (timedelta(minutes=5, seconds=1), "5 minutes ahead of"),
        (timedelta(minutes=-90), "90 minutes behind"),
        (timedelta(days=1), "24 hours ahead of"),
        (timedelta(days=-365), "8760 hours behind"),
    ],
)
def test_a_wrong_clock_is_told_by_how_much(apart: timedelta, words: str) -> None:
    with pytest.raises(WrongState, match=words, check=has_code("clock")):
        check_clock(NOW + apart, now=NOW)


@pytest.mark.parametrize("apart", [timedelta(0), timedelta(minutes=5), timedelta(minutes=-5)])
def test_clocks_may_differ_a_little(apart: timedelta) -> None:
    check_clock(NOW + apart, now=NOW)


@pytest.mark.parametrize(("header", "first"), [("", 0), ("bytes=0-", 0), ("bytes=9-", 9)])
def test_where_a_download_begins(header: str, first: int) -> None:
    assert first_byte(header, size=10) == first


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=-1", "bytes=1-2", "bytes=1-,3-", "items=1-", "bytes=\u0661-"])
def test_another_range_is_refused(header: str) -> None:
    with pytest.raises(Invalid, check=has_code("range")):
        first_byte(header, size=10)
