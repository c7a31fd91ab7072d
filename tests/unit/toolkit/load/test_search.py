"""The search of the highest rate, over endpoints whose limit is known."""

import dataclasses
import io
from datetime import UTC, datetime

import pytest

from tests.unit.toolkit.load.servers import pinned
from tests.unit.toolkit.load.test_judgment import calm
from tests.unit.toolkit.load.test_report import fired
from weighbridge.cli.tables.terminal import load_search_parts, show
from weighbridge.core.errors import Invalid
from weighbridge.load import search
from weighbridge.load.plan import LoadCaps, LoadPlan
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

    def use(p99_of, *, reasons=()):
        def stand_in(plan, target, **more):
            asked.append(plan)
            assert more["folder"].is_dir()
            more["on_progress"](0.5, "3 done")
            p99_ms = p99_of(plan.rate_per_s)
            metrics = {"achieved_per_s": {"value": plan.rate_per_s}, "error_rate": {"value": 0.0}}
            if p99_ms is not None:
                metrics["response_time_p99_ms"] = {"value": p99_ms}
            given = reasons(p99_ms) if callable(reasons) else reasons
            document = {"metrics": metrics, "verdict": {"reasons": [{"code": code} for code in given]}}
            return document, fired(calm(10), is_stopped=more["should_stop"]())

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


def test_the_generators_own_limit_is_no_answer(endpoint, tmp_path):
    endpoint(queue_ms, reasons=lambda p99: ["generator.lag"] if p99 is None or p99 > 100 else [])
    verdict = searched(tmp_path)["verdict"]
    assert (verdict["status"], [reason["code"] for reason in verdict["reasons"]]) == ("invalid", ["generator.lag"])


@pytest.mark.parametrize("p99_of", [queue_ms, lambda rate: 1.0])
def test_a_generator_that_was_late_below_the_limit_is_a_doubt(endpoint, tmp_path, p99_of):
    endpoint(p99_of, reasons=lambda p99: ["environment.co_located", *(["generator.lag"] if p99 and p99 < 100 else [])])
    found = searched(tmp_path)
    assert found["verdict"]["status"] == "indicative"
    assert [reason["code"] for reason in found["verdict"]["reasons"]] == ["generator.lag", "environment.co_located"]


def test_a_search_that_is_stopped_keeps_its_trials(endpoint, tmp_path):
    asked = endpoint(queue_ms)
    found = searched(tmp_path, should_stop=lambda: len(asked) > 3)
    assert (found["is_partial"], found["reason"], found["highest_rate_per_s"]) == (True, "stopped", None)
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
    assert found["highest_rate_per_s"] == {
        "value": 200,
        "lower": 200,
        "upper": None,
        "confidence": None,
        "n": 3,
        "unit": "1/s",
    }
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
    assert lines[-4].startswith("highest rate with p99 <= 100 ms: 9")
    assert lines[-4].endswith(f", {found['reason']}")
    assert lines[-3:-1] == [
        "verdict: indicative",
        "  environment.co_located: Generator and target share the processors of this machine.",
    ]
    stream = io.StringIO()
    show(load_search_parts({**found, "highest_rate_per_s": None, "reason": "stopped"}), stream)
    assert "highest rate with p99 <= 100 ms: none/s (none to none), stopped\n" in stream.getvalue()
