"""The search of the highest rate, over endpoints whose limit is known."""

import dataclasses
import io
from datetime import UTC, datetime

import pytest

from tests.unit.toolkit.load.servers import pinned
from tests.unit.toolkit.load.test_client_limits import pooled
from tests.unit.toolkit.load.test_judgment import calm
from tests.unit.toolkit.load.test_report import fired
from weighbridge.cli.tables.load_table import load_search_parts
from weighbridge.cli.tables.terminal import SEARCH_ENDS, show
from weighbridge.core.errors import Invalid
from weighbridge.load import search
from weighbridge.load.generator.generator import GeneratorFailed
from weighbridge.load.plan import Arrivals, LoadCaps, LoadPlan
from weighbridge.load.search import Trials, search_highest_rate
from weighbridge.measure.deadline import Deadline

AT = datetime(2026, 11, 25, tzinfo=UTC)
PLAN = LoadPlan(url="http://localhost/", rate_per_s=50, duration_s=5, p99_limit_ms=100.0)


def queue_ms(rate):
    """The p99 of a queue that serves 1,000 a second: ln(100) / (1000 - rate) s, and no answers beyond that."""
    return 4605.0 / (1000 - rate) if rate < 999 else None


@pytest.fixture
def endpoint(monkeypatch):
    """Let the load tests answer what a function of the rate says; return the plans they were asked for."""
    asked = []

    def use(p99_of, *, reasons=(), samples_of=lambda plan: calm(10), **counters):
        def stand_in(plan, target, **more):
            asked.append(plan)
            assert more["folder"].is_dir()
            more["on_progress"](0.5, "3 done")
            p99_ms = p99_of(plan.rate_per_s)
            metrics = {"achieved_per_s": {"value": plan.rate_per_s}, "error_rate": {"value": 0.0}}
            lags_ns = (samples := samples_of(plan)).taken_ns - samples.scheduled_ns
            metrics["generator_lag_p99_ms"] = {"value": float(lags_ns.max()) / 1e6}
            if p99_ms is not None:
                metrics["response_time_p99_ms"] = {"value": p99_ms}
            given = reasons(p99_ms) if callable(reasons) else reasons
            document = {"metrics": metrics, "verdict": {"reasons": [{"code": code} for code in given]}}
            return document, fired(samples, is_stopped=more["should_stop"](), **counters)

        monkeypatch.setattr(search, "run_load", stand_in)
        return asked

    return use


def searched(folder, plan=PLAN, said=None, deadline=None, should_stop=lambda: False):
    say = (said if said is not None else []).append
    deadline = deadline or Deadline(600, lambda: 0.0)
    return search_highest_rate(
        Trials(plan, pinned(80), LoadCaps(), folder, lambda *words: say(words), should_stop, AT, deadline)
    )


def test_the_rate_at_which_a_queue_meets_the_limit_is_found(endpoint, tmp_path):
    asked, said = endpoint(queue_ms), []
    found = searched(tmp_path, said=said)
    metric = found["highest_rate_per_s"]
    # 4,605 / (1000 - rate) = 100 at 954 requests a second.
    assert metric["value"] == pytest.approx(953.95, rel=0.02)
    assert metric["lower"] <= metric["value"] <= metric["upper"]
    assert (found["schema"], found["is_partial"], found["limit_ms"]) == ("weighbridge.load_search/1", False, 100.0)
    assert found["verdict"] == {"status": "valid", "reasons": []}
    assert len(found["trials"]) == metric["n"] == len(asked)
    assert {plan.seed for plan in asked} == set(range(PLAN.seed, PLAN.seed + len(asked)))
    assert found["manifest"]["search"]["start"] == 50
    assert (said[0], said[-1][0] > 0.5) == ((0.0, "trial 1: 3 done, at most 10 min left"), True)


def test_a_trial_is_long_enough_for_a_p99(endpoint, tmp_path):
    asked = endpoint(queue_ms)
    searched(tmp_path)
    assert min(plan.rate_per_s * plan.duration_s for plan in asked) >= 800
    assert {plan.duration_s for plan in asked if plan.rate_per_s > 200} == {5}


def behind_a_pool(connections, *, service_ms=190):
    """Samples of a target without a limit of its own, behind connections that are too few above some rate."""
    return lambda plan: pooled(connections=connections, service_ms=service_ms, gap_ms=1000 / plan.rate_per_s)


def p99_of_pool(connections, *, service_ms=190):
    most = connections * 1000 / service_ms
    return lambda rate: service_ms if rate < most else 2_000.0


@pytest.mark.parametrize(
    ("counters", "code"),
    [
        ({"pool_limits": ("fixed",)}, "connections.busy"),
        ({"pool_limits": ("cap",)}, "connections.busy"),
        ({"pool_limits": ("files",)}, "connections.busy"),
        ({"pool_limits": ("ports",)}, "connections.busy"),
        ({"pool_limits": ("fixed",), "processor_share": 0.99}, "generator.processor"),
        ({"pool_limits": ("fixed",), "crowding": 32.0}, "generator.processes"),
    ],
)
def test_the_generators_own_limit_is_no_answer(endpoint, tmp_path, counters, code):
    """64 connections at 190 ms carry 337 a second; the target would do more."""
    asked = endpoint(p99_of_pool(64), samples_of=behind_a_pool(64), **counters)
    found = searched(tmp_path, dataclasses.replace(PLAN, p99_limit_ms=300.0))
    assert (found["reason"], found["highest_rate_per_s"]) == ("client_limit", None)
    assert (found["at_least_per_s"], found["at_most_per_s"], found["is_partial"]) == (200, None, False)
    assert found["verdict"]["status"] == "invalid"
    assert found["verdict"]["reasons"][0]["code"] == code
    assert [plan.rate_per_s for plan in asked] == [50, 100, 200, 400]
    assert found["trials"][-1]["limited_by"]


def test_a_target_that_misses_the_limit_on_few_connections_missed_it(endpoint, tmp_path):
    asked = endpoint(queue_ms, pool_limits=("fixed",), samples_of=behind_a_pool(2, service_ms=150))
    assert searched(tmp_path)["highest_rate_per_s"]["value"] == pytest.approx(953.95, rel=0.02)
    assert len(asked) > 10


def test_a_process_that_is_lost_ends_the_search_though_the_limit_was_met(endpoint, tmp_path):
    endpoint(lambda _: 1.0, lost_processes=1)
    found = searched(tmp_path)
    assert (found["reason"], found["at_least_per_s"]) == ("client_limit", None)


def late_above(rate_per_s, tries):
    """Samples whose generator is late above a rate, in the first `tries` trials there."""
    seen = []

    def samples_of(plan):
        seen.extend([plan] if plan.rate_per_s > rate_per_s else [])
        return calm(2000, lag_ms=150.0 if plan.rate_per_s > rate_per_s and len(seen) <= tries else 0.1)

    return samples_of


def test_a_generator_that_is_always_late_ends_the_search(endpoint, tmp_path):
    asked = endpoint(queue_ms, samples_of=late_above(300, 99))
    found = searched(tmp_path)
    assert (found["reason"], found["at_least_per_s"], found["highest_rate_per_s"]) == ("client_limit", 800, None)
    assert [plan.rate_per_s for plan in asked][-3:] == [1600] * 3, "it may have been chance"
    assert found["verdict"]["reasons"][0]["code"] == "generator.lag"


def test_a_generator_that_was_late_once_does_not_end_the_search(endpoint, tmp_path):
    endpoint(queue_ms, samples_of=late_above(1500, 2))
    assert searched(tmp_path)["highest_rate_per_s"]["value"] == pytest.approx(953.95, rel=0.02)


def test_a_rate_at_which_requests_pile_up_is_missed(endpoint, tmp_path):
    """No trial takes longer than the limit, but above 500 a second a longer one would."""
    asked = endpoint(lambda rate: 10.0 + rate / 100, reasons=lambda p99: ["load.saturated"] if p99 > 15 else [])
    found = searched(tmp_path)
    assert (found["reason"], found["highest_rate_per_s"]["value"] <= 500) == ("cliff", True)
    assert [plan.rate_per_s for plan in asked][4:6] == [800, 800], "it may have been chance"
    assert [plan.rate_per_s for plan in asked][:4] == [50, 100, 200, 400]


def test_a_limit_that_no_trial_misses_gives_a_lower_bound(endpoint, tmp_path):
    endpoint(lambda rate: 1.0)
    found = searched(tmp_path)
    assert (found["reason"], found["highest_rate_per_s"], found["at_least_per_s"]) == (
        "no_failure_in_range",
        None,
        50_000.0,
    )
    assert [reason["code"] for reason in found["verdict"]["reasons"]] == ["search.range"]


def test_a_generator_that_was_late_below_the_limit_is_a_doubt(endpoint, tmp_path):
    streamed = ["environment.co_located", "answers.streamed"]
    endpoint(queue_ms, reasons=lambda p99: [*streamed, *(["generator.lag"] if p99 and p99 < 100 else [])])
    found = searched(tmp_path)
    assert found["verdict"]["status"] == "indicative"
    assert [reason["code"] for reason in found["verdict"]["reasons"]] == [
        "generator.lag",
        "answers.streamed",
        "environment.co_located",
    ]


def test_a_trial_opens_the_connections_that_the_last_one_needed(endpoint, tmp_path):
    asked = endpoint(lambda rate: 1.0 if rate < 5_000 else None, peak=400)
    searched(tmp_path)
    # 400 at 50 a second are 8 for each; half as many again, at twice the rate, up to the cap.
    assert [plan.warm_connections for plan in asked[:3]] == [64, 1200, 1200]
    assert max(plan.warm_connections for plan in asked) <= 4_096


def test_a_target_that_goes_away_leaves_what_is_known(endpoint, tmp_path, monkeypatch):
    endpoint(queue_ms)
    stand_in = search.run_load

    def gone(plan, target, **more):
        if plan.rate_per_s > 100:
            raise GeneratorFailed("No connection to it; is the server running?", code="unreachable", field="url")
        return stand_in(plan, target, **more)

    monkeypatch.setattr(search, "run_load", gone)
    found = searched(tmp_path)
    assert (found["reason"], found["at_least_per_s"], found["is_partial"]) == ("trial_failed", 100, True)
    assert found["verdict"]["reasons"][0]["message"] == (
        "Trial 3, at 200 per second, failed: No connection to it; is the server running?"
    )
    with pytest.raises(GeneratorFailed):
        searched(tmp_path / "0", dataclasses.replace(PLAN, rate_per_s=200))


def test_a_closed_loop_has_no_highest_rate(tmp_path):
    with pytest.raises(Invalid, match="no --closed"):
        searched(tmp_path, dataclasses.replace(PLAN, rate_per_s=0, users=3))


def test_a_search_needs_a_steady_rate(tmp_path):
    with pytest.raises(Invalid, match="not ramp"):
        searched(tmp_path, dataclasses.replace(PLAN, arrivals=Arrivals.RAMP))


def test_a_search_cannot_start_above_the_cap(tmp_path):
    with pytest.raises(Invalid, match="starts at 60,000 requests per second; at most 50,000"):
        searched(tmp_path, dataclasses.replace(PLAN, rate_per_s=60_000))


def test_a_search_that_is_stopped_keeps_its_trials(endpoint, tmp_path):
    asked = endpoint(queue_ms)
    found = searched(tmp_path, should_stop=lambda: len(asked) > 3)
    assert (found["is_partial"], found["reason"], found["highest_rate_per_s"]) == (True, "stopped", None)
    assert found["at_least_per_s"] == 200
    assert [trial["rate_per_s"] for trial in found["trials"]] == [50, 100, 200]
    assert found["verdict"]["status"] == "invalid"


@pytest.mark.parametrize("ends_in", ["a test", "between tests"])
def test_a_search_whose_time_is_up_says_what_its_trials_agree_on(endpoint, tmp_path, ends_in):
    asked, looks = endpoint(queue_ms), []

    def clock():
        # A test looks at the time before it begins, for its words, and at its end: the third look after 3 is between
        # two.
        looks.append(len(asked))
        return 600.0 * (looks.count(4) > 0 if ends_in == "a test" else looks.count(3) > 2)

    deadline = Deadline(600, clock)
    found = searched(tmp_path, deadline=deadline)
    assert (found["is_partial"], found["reason"]) == (True, "out_of_time")
    assert (found["highest_rate_per_s"], found["at_least_per_s"], found["at_most_per_s"]) == (None, 200, None)
    assert [trial["rate_per_s"] for trial in found["trials"]] == [50, 100, 200]
    assert found["manifest"]["within_s"] == 600
    assert found["verdict"]["status"] == "invalid"
    assert [reason["message"] for reason in found["verdict"]["reasons"]] == [
        "Time ran out before the search had an answer; allow more time with --within."
    ]


def test_a_search_needs_a_limit(tmp_path):
    with pytest.raises(Invalid, match="--p99-ms"):
        searched(tmp_path, dataclasses.replace(PLAN, p99_limit_ms=None))


def test_a_search_as_text(endpoint, tmp_path):
    endpoint(queue_ms, reasons=["environment.co_located"])
    found, stream = searched(tmp_path), io.StringIO()
    show(load_search_parts(found), stream)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "50/s: p99 4.847 ms"
    assert "1,600/s: p99 none ms" in lines
    assert lines[-6].startswith("highest rate with a response time p99 of at most 100 ms: 9")
    assert lines[-5].endswith(f" trials): {SEARCH_ENDS[found['reason']]}")
    assert lines[-4:-2] == [
        "verdict: indicative",
        "  environment.co_located: Generator and target share the processors of this machine.",
    ]
    assert lines[-1] == "note: Bodies were not checked: every answer with the expected status counts as right."


@pytest.mark.parametrize(
    ("bounds", "words"),
    [((None, None), "no bounds"), ((200, None), "at least 200"), ((200.0, 400.0), "at least 200, at most 400")],
)
def test_what_was_not_found_is_said_with_its_bounds(endpoint, tmp_path, bounds, words):
    endpoint(queue_ms)
    known = dict(zip(("at_least_per_s", "at_most_per_s"), bounds, strict=True))
    stream = io.StringIO()
    show(
        load_search_parts(
            {**searched(tmp_path), "highest_rate_per_s": None, "reason": "stopped", "trials": [], **known}
        ),
        stream,
    )
    lines = stream.getvalue().splitlines()
    assert lines[:2] == [
        "highest rate with a response time p99 of at most 100 ms: not found",
        f"  {words} (0 trials): the search was stopped.",
    ]
