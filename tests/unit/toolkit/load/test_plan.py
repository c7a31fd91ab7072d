"""Plans: what is refused, the caps, and the way through JSON."""

import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.core.converter import from_document
from weighbridge.core.errors import Invalid
from weighbridge.load.expectation import Expectation
from weighbridge.load.plan import Arrivals, LoadCaps, LoadPlan, arrivals_from, check_caps, read_week, seconds

WEEK = tuple(float(hour) for hour in range(168))
PLAN = LoadPlan(url="http://localhost/", rate_per_s=10, duration_s=2)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"method": "HEAD"}, "method"),
        ({"rate_per_s": 0}, "rate"),
        ({"start_rate_per_s": -1}, "rate"),
        ({"duration_s": 0}, "duration"),
        ({"timeout_s": 0}, "duration"),
        ({"seed": -1}, "seed"),
        ({"processes": 0}, "processes"),
        ({"processes": 3, "connections": 2}, "processes"),
        ({"arrivals": Arrivals.WEEK}, "week"),
        ({"arrivals": Arrivals.WEEK, "week": WEEK[1:]}, "week"),
        ({"arrivals": Arrivals.WEEK, "week": (0.0,) * 168}, "week"),
        ({"arrivals": Arrivals.WEEK, "week": (*WEEK[1:], -1.0)}, "week"),
        ({"p99_limit_ms": 0}, "p99_ms"),
        ({"p99_limit_ms": math.inf}, "p99_ms"),
        ({"p99_limit_ms": 10_001}, "timeout"),
        ({"rate_per_s": math.nan}, "rate"),
        ({"duration_s": math.inf}, "duration"),
        ({"connections": 0}, "connections"),
        ({"warm_connections": 0}, "connections"),
        ({"users": 5}, "closed"),
        ({"think_s": 1.0}, "closed"),
        ({"rate_per_s": 0, "users": -1}, "closed"),
        ({"rate_per_s": 0, "users": 5, "think_s": math.inf}, "closed"),
        ({"rate_per_s": 0, "users": 5, "arrivals": Arrivals.CONSTANT}, "closed"),
        ({"rate_per_s": 0, "users": 1, "processes": 2}, "processes"),
    ],
)
def test_what_no_generator_can_follow_is_refused(change, field):
    with pytest.raises(Invalid) as refused:
        dataclasses.replace(PLAN, **change)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rate_per_s": 50_001}, "The plan needs 50,001 requests per second; at most 50,000 are allowed."),
        ({"start_rate_per_s": 60_000}, "The plan needs 60,000 requests per second; at most 50,000 are allowed."),
        ({"duration_s": 3601}, "The plan needs 3,601 seconds; at most 3,600 are allowed."),
        (
            {"rate_per_s": 5000, "duration_s": 2000},
            "The plan needs 10,000,000 requests in all; at most 5,000,000 are allowed.",
        ),
        ({"connections": 5000}, "The plan needs 5,000 connections; at most 4,096 are allowed."),
        ({"rate_per_s": 0, "users": 5000}, "The plan needs 5,000 connections; at most 4,096 are allowed."),
    ],
)
def test_the_caps_hold(change, words):
    with pytest.raises(Invalid) as refused:
        check_caps(dataclasses.replace(PLAN, **change), LoadCaps())
    assert (refused.value.reason, refused.value.code) == (words, "over_cap")
    check_caps(PLAN, LoadCaps())


def test_a_plan_goes_through_json_whole():
    plan = dataclasses.replace(
        PLAN,
        arrivals=Arrivals.WEEK,
        week=WEEK,
        headers=(("X-A", "1"),),
        expect=Expectation(statuses=(200, 404), every=3),
    )
    document = json.loads(json.dumps({**dataclasses.asdict(plan), "headers": plan.headers}))
    assert from_document(LoadPlan, document, name="plan") == plan
    assert from_document(LoadPlan, {"url": PLAN.url, "rate_per_s": 10, "duration_s": 2}, name="plan") == PLAN


@pytest.mark.parametrize(
    "wrong",
    [{}, {"url": "x", "rate_per_s": 1, "duration_s": 1, "speed": 3}, {"arrivals": "often"}, {"expect": {"x": 1}}],
)
def test_a_plan_that_is_none_is_refused(wrong):
    with pytest.raises(Invalid, match="The plan cannot be read"):
        from_document(LoadPlan, wrong, name="plan")


def test_a_request_is_not_given_up_before_its_limit():
    with pytest.raises(Invalid, match=r"The timeout of 0\.1 s ends requests before the limit of 200 ms"):
        dataclasses.replace(PLAN, timeout_s=0.1, p99_limit_ms=200.0)
    assert dataclasses.replace(PLAN, timeout_s=0.2, p99_limit_ms=200.0).p99_limit_ms == 200.0


def test_a_closed_loop_has_users_and_no_rate():
    closed = dataclasses.replace(PLAN, rate_per_s=0, users=5, think_s=2.0)
    assert (closed.is_closed, PLAN.is_closed) == (True, False)


def test_values_of_headers_are_kept_to_oneself():
    plan = dataclasses.replace(PLAN, headers=(("Authorization", "Bearer s3cret"),))
    assert plan.as_document()["headers"] == ["Authorization"]
    assert "s3cret" not in json.dumps(plan.as_document())


@pytest.mark.parametrize(
    ("text", "value"), [("60s", 60.0), ("2m", 120.0), ("1.5h", 5400.0), ("500ms", 0.5), ("8", 8.0), (" 3s ", 3.0)]
)
def test_durations(text, value):
    assert seconds(text) == value


@given(st.text(max_size=8))
def test_what_is_no_duration_is_refused_and_never_misread(text):
    units = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
    number = text.strip().rstrip("msh")
    try:
        value = seconds(text)
    except Invalid:
        return
    assert value == float(number) * units[text.strip()[len(number) :]]


def test_arrivals_by_name():
    assert arrivals_from("ramp") is Arrivals.RAMP
    with pytest.raises(Invalid, match="constant, poisson, ramp, week"):
        arrivals_from("bursty")


def test_a_week_from_a_file(tmp_path):
    file = tmp_path / "week.json"
    file.write_text(json.dumps(WEEK))
    assert read_week(file) == WEEK
    assert read_week(None) == ()
    for wrong, reason in (("{", "not valid JSON"), ("3", "168 weights"), ('["x"]', "168 weights")):
        file.write_text(wrong)
        with pytest.raises(Invalid, match=reason):
            read_week(file)
    with pytest.raises(Invalid, match=r"none\.json"):
        read_week(tmp_path / "none.json")
