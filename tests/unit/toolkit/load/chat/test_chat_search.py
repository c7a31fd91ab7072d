"""The highest rate within the limits of a language model: the rate up to which enough answers are good."""

import dataclasses
import io
import json
from datetime import UTC, datetime

import pytest

from tests.unit.toolkit.load.chat.test_chat_results import test_run as known_run
from tests.unit.toolkit.load.servers import pinned
from tests.unit.toolkit.load.test_report import fired
from weighbridge.cli.tables.load_table import load_search_parts
from weighbridge.cli.tables.terminal import show
from weighbridge.core.errors import Invalid
from weighbridge.load import search
from weighbridge.load.chat.limits import Limits
from weighbridge.load.chat.settings import ChatPlan
from weighbridge.load.plan import Arrivals, LoadCaps, LoadPlan
from weighbridge.load.search import Trials, search_highest_rate
from weighbridge.measure.deadline import Deadline
from weighbridge.readers.studies.registry import read_study

CHAT = ChatPlan(prompts="", name="p.jsonl", digest="sha256:1", limits=Limits(ttft_ms=200, share=0.9))
PLAN = LoadPlan(url="http://localhost/", rate_per_s=4, duration_s=5, method="POST", chat=CHAT)
WARM = {"code": "cache.warm", "status": "invalid", "message": "The cache served 90%."}


def good_share(rate):
    """All answers are good up to 10/s; at 20/s, none is; nobody knows beyond 30/s."""
    return None if rate > 30 else min(1.0, max(0.0, (20 - rate) / 10))


@pytest.fixture
def searched(monkeypatch, tmp_path):
    """Search with load tests that answer what a function of the rate says; return the document and the plans."""
    asked = []

    def run(plan=PLAN, share_of=good_share, reasons=()):
        def stand_in(plan, target, **more):
            asked.append(plan)
            share = share_of(plan.rate_per_s)
            metrics = {name: {"value": 0.0} for name in ("achieved_per_s", "error_rate")}
            if share is not None:
                metrics |= {"good_share": {"value": share}, "goodput_per_s": {"value": share * plan.rate_per_s}}
            samples, chat = known_run()
            return {"metrics": metrics, "verdict": {"reasons": list(reasons)}}, fired(samples, chat=chat)

        monkeypatch.setattr(search, "run_load", stand_in)
        monkeypatch.setattr(search, "load_manifest", lambda plan, target: {"bodies": None, "target": {}})
        at, deadline = datetime(2026, 11, 28, tzinfo=UTC), Deadline(600, lambda: 0.0)
        folder = tmp_path / str(len(asked))
        folder.mkdir()
        silent = (lambda *_: None, lambda: False)
        return search_highest_rate(Trials(plan, pinned(80), LoadCaps(), folder, *silent, at, deadline)), asked

    return run


def test_the_rate_is_found_at_which_the_share_of_good_answers_is_the_wanted_one(searched):
    document, asked = searched()
    assert document["reason"] == "bracketed"
    assert document["highest_rate_per_s"]["value"] == pytest.approx(11, rel=0.05)
    assert (document["limit_ms"], document["good_share"], document["limits"]) == (None, 0.9, "TTFT ≤ 200 ms")
    assert document["trials"][0] == {
        "rate_per_s": 4,
        "good_share": 1.0,
        "goodput_per_s": 4.0,
        "duration_s": 50.0,
        "achieved_per_s": 0.0,
        "error_rate": 0.0,
        "reasons": [],
        "limited_by": [],
    }
    assert all(plan.rate_per_s * plan.duration_s >= 199 for plan in asked)


def read_again(document, tmp_path):
    path = tmp_path / "search.json"
    path.write_text(json.dumps({**document, "manifest": {"digest": "sha256:0"}}))
    return read_study(path)


def test_the_search_is_shown_and_read_again(searched, tmp_path):
    document, _ = searched()
    stream = io.StringIO()
    show(load_search_parts({**document, "manifest": {"bodies": None, "digest": "sha256:0"}}), stream)
    assert "4/s: 100.0% good, goodput 4/s" in stream.getvalue()
    assert "highest rate with 90% of the answers within TTFT ≤ 200 ms:" in stream.getvalue()
    study = read_again(document, tmp_path)
    [sentence] = study.conclusions
    assert sentence.endswith("90% of the answers keep TTFT ≤ 200 ms.")
    assert study.details["limit"] == "90% of the answers within TTFT ≤ 200 ms"
    assert "share that misses" in study.chart().table.columns


def test_doubts_of_trials_are_doubts_of_the_search(searched):
    other = {"code": "errors.requests", "status": "invalid", "message": "x"}
    document, _ = searched(reasons=(WARM, other))
    assert WARM in document["verdict"]["reasons"]
    assert "errors.requests" not in {reason["code"] for reason in document["verdict"]["reasons"]}


def test_a_trial_without_answers_misses_the_limits(searched):
    document, _ = searched(plan=dataclasses.replace(PLAN, rate_per_s=40))
    assert document["trials"][0]["good_share"] is None
    assert document["highest_rate_per_s"]["value"] == pytest.approx(11, rel=0.05)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"chat": dataclasses.replace(CHAT, limits=Limits())}, "give --ttft-ms"),
        ({"chat": dataclasses.replace(CHAT, is_conversation=True)}, "prompts with sessions have none"),
        ({"arrivals": Arrivals.TRACE}, "not trace"),
        ({"rate_per_s": 1e6}, "at most 50,000 are allowed"),
    ],
)
def test_what_cannot_be_searched_is_refused(searched, change, words):
    with pytest.raises(Invalid, match=words):
        searched(plan=dataclasses.replace(PLAN, **change))


def test_a_document_that_contradicts_itself_is_refused(searched, tmp_path):
    document, _ = searched()
    worse = {**document, "trials": [{**trial, "good_share": 0.1} for trial in document["trials"]]}
    with pytest.raises(Invalid, match="contradicts itself"):
        read_again(worse, tmp_path)
    for share in (0, 1):
        with pytest.raises(Invalid, match="between 0 and 1"):
            read_again({**document, "good_share": share}, tmp_path)
