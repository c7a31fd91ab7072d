"""Metrics, doubts and the section of a load test of a language model, from samples whose truth is known."""

import dataclasses

import numpy as np
import pytest

from tests.unit.toolkit.load.chat.streams import MS, chat_samples, load_samples
from tests.unit.toolkit.load.test_report import fired
from weighbridge.cli.tables.load_table import streaming_lines
from weighbridge.load.chat.answer_stream import StreamEnd
from weighbridge.load.chat.limits import AnswerLimits
from weighbridge.load.chat.results.answers import answers_of
from weighbridge.load.chat.results.client import limits_of_chat_client
from weighbridge.load.chat.results.metrics import chat_metrics
from weighbridge.load.chat.results.samples import is_blank
from weighbridge.load.chat.results.section import chat_results, workload_of
from weighbridge.load.chat.results.tokens import with_counted_tokens
from weighbridge.load.chat.results.verdict import doubts_of, withhold
from weighbridge.load.chat.settings import ChatPlan
from weighbridge.load.results.metrics import LoadMetrics
from weighbridge.load.results.samples import NEVER, RequestOutcome
from weighbridge.measure.verdict import Status, ValidityReason

N, RATE = 1_000, 10.0
PLAN = ChatPlan(prompts="p.jsonl", name="p.jsonl", digest="sha256:1", limits=AnswerLimits(ttft_ms=100, tpot_ms=10))
DUE = np.arange(N) * 1000 / RATE


def test_run(**arrays):
    """1,000 answers of 11 tokens at 10/s: the first after 50 ms, one each 10 ms, of which every fifth is late."""
    late = np.where(np.arange(N) % 5 == 0, 200.0, 0.0)
    samples = load_samples(DUE, DUE + 150 + late, sent_ms=DUE + late)
    given = {
        "first_ms": DUE + 50 + late,
        "first_answer_ms": DUE + 50 + late,
        "finish_ms": DUE + 150 + late,
        "output_tokens": 11,
        "input_tokens": 100,
        "chunks": 11,
        **arrays,
    }
    return samples, chat_samples(N, **given)


test_run.__test__ = False


def metrics(samples, chat, limits=PLAN.limits):
    return chat_metrics(samples, chat, limits=limits, duration_s=N / RATE, seed=1)


def test_the_metrics_of_a_known_test():
    found = metrics(
        *test_run(cached_tokens=25, gaps_ns=np.full(10 * N, 10 * MS), gap_ends=np.arange(10, 10 * N + 1, 10))
    )
    values = {name: metric["value"] for name, metric in found.metrics.items()}
    assert values["ttft_p50_ms"] == pytest.approx(50)
    assert values["ttft_p90_ms"] == pytest.approx(250)
    assert values["ttft_service_p99_ms"] == pytest.approx(50)
    assert values["tpot_p99_ms"] == values["icl_p99_ms"] == pytest.approx(10)
    assert values["good_share"] == pytest.approx(0.8)
    assert values["goodput_per_s"] == pytest.approx(8)
    assert values["output_tokens_per_s"] == pytest.approx(110, rel=0.01)
    assert values["request_tokens_per_s_p50"] == pytest.approx(100)
    assert values["cached_token_share"] == pytest.approx(0.25)
    assert (values["input_tokens_mean"], values["output_tokens_mean"]) == (100, 11)
    assert (values["truncated_rate"], values["refusal_rate"]) == (0, 0)
    assert "ttfa_p50_ms" not in values
    assert found.missing == []


def test_failures_are_not_good_and_slower_than_any():
    samples, chat = test_run()
    samples.outcome[:300] = RequestOutcome.BUSY
    found = metrics(samples, chat)
    assert found.metrics["good_share"]["value"] == pytest.approx(0.56)
    assert {"ttft_p90_ms", "ttft_p95_ms", "ttft_p99_ms"} <= {each["metric"] for each in found.missing}
    assert found.metrics["ttft_service_p99_ms"]["n"] == 700


def test_what_nobody_counted_has_no_metric():
    samples, chat = test_run(
        output_tokens=-1, input_tokens=-1, cached_tokens=-1, reasoning_tokens=-1, finish=StreamEnd.LENGTH
    )
    found = metrics(samples, chat, limits=AnswerLimits()).metrics
    assert not {"tpot_p50_ms", "output_tokens_per_s", "cached_token_share", "goodput_per_s"} & set(found)
    assert found["truncated_rate"]["value"] == 1


def test_reasoning_has_a_time_to_the_answer():
    samples, chat = test_run(first_answer_ms=DUE + 90, largest_gap_ms=np.full(N, 12.0))
    found = metrics(samples, chat).metrics
    assert found["ttfa_p50_ms"]["value"] == pytest.approx(90)
    assert found["icl_longest_p99_ms"]["value"] == pytest.approx(12)


def test_too_few_answers_have_no_percentile():
    samples, chat = load_samples([0, 1], [5, 6]), chat_samples(2, first_ms=[1, 2], finish_ms=[4, 5])
    found = metrics(samples, chat)
    assert {each["metric"] for each in found.missing} >= {"ttft_p50_ms"}
    assert "truncated_rate" in found.metrics
    nobody = load_samples([0], [5], outcome=RequestOutcome.UNSETTLED)
    assert metrics(nobody, chat_samples(1)).metrics == {}


def doubts(samples, chat, *, plan=PLAN, check=None, is_steady=True, duration_s=N / RATE, **counters):
    result = fired(samples, **counters)
    found = doubts_of(plan, result, chat, check=check, duration_s=duration_s, is_steady=is_steady)
    return {reason.code: reason.status for reason in found.reasons}, found.withheld


def test_a_sound_test_has_no_doubts():
    assert doubts(*test_run()) == ({}, {})


@pytest.mark.parametrize(
    ("arrays", "code", "status"),
    [
        ({"output_tokens": -1}, "tokens.unknown", Status.INDICATIVE),
        ({"output_tokens": 30}, "tokens.first_unknown", Status.INDICATIVE),
        ({"chunks": 1}, "stream.none", Status.INDICATIVE),
        ({"coalesced": 4}, "stream.coalesced", Status.INDICATIVE),
        ({"cached_tokens": -1}, "cache.unknown", Status.INDICATIVE),
        ({"cached_tokens": 3}, "cache.warm", Status.INVALID),
        ({"models": ("a", "b")}, "model.changed", Status.INVALID),
    ],
)
def test_every_doubt_has_its_sign(arrays, code, status):
    found, withheld = doubts(*test_run(**arrays))
    assert found == {code: status} | ({"tokens.first_unknown": Status.INDICATIVE} if code == "stream.none" else {})
    is_of_tokens = code in {"tokens.unknown", "stream.none", "stream.coalesced"}
    assert ("tpot" in withheld) == is_of_tokens
    assert ("icl" in withheld) == (code == "stream.none")


def test_a_stated_cache_is_only_doubted_above_its_share():
    stated = dataclasses.replace(PLAN, cached_share=0.25)
    assert doubts(*test_run(cached_tokens=27), plan=stated)[0] == {}
    assert doubts(*test_run(cached_tokens=28), plan=stated)[0] == {"cache.warm": Status.INDICATIVE}


@pytest.mark.parametrize(
    ("plan", "is_doubted"),
    [({"max_tokens": 11}, True), ({}, False), ({"max_tokens": 11, "law": "{}"}, False)],
)
def test_answers_cut_by_the_test_are_none_of_the_workload(plan, is_doubted):
    found, _ = doubts(*test_run(finish=StreamEnd.LENGTH), plan=dataclasses.replace(PLAN, **plan))
    assert ("output.truncated" in found) == is_doubted


def test_a_server_that_sheds_load_has_no_latencies():
    samples, chat = test_run()
    samples.outcome[:10] = RequestOutcome.BUSY
    assert doubts(samples, chat)[0] == {}
    samples.outcome[:11] = RequestOutcome.BUSY
    found, withheld = doubts(samples, chat)
    assert found == {"server.busy": Status.INDICATIVE}
    assert {"ttft", "tpot", "icl", "response_time"} <= set(withheld)


def test_ever_more_requests_in_flight_are_named_and_withhold_the_times():
    samples = load_samples(DUE, DUE + 100 + np.arange(N) * 2.0)
    chat = chat_samples(N, first_ms=DUE + 50, finish_ms=DUE + 100)
    found, withheld = doubts(samples, chat)
    assert found == {"load.saturated": Status.INDICATIVE}
    assert withheld["ttft"] == "load.saturated"
    assert doubts(samples, chat, is_steady=False)[0] == {}
    few = load_samples(DUE[:99], DUE[:99] + np.arange(99) * 9.0)
    assert doubts(few, chat_samples(99, first_ms=DUE[:99], finish_ms=DUE[:99]))[0] == {}


@pytest.mark.parametrize(("reading_s", "status"), [(20.0, None), (21.0, Status.INDICATIVE), (61.0, Status.INVALID)])
def test_reading_streams_may_not_fill_a_processor(reading_s, status):
    found, _ = doubts(*test_run(), reading_s=reading_s)
    assert found.get("client.parse") is status


def test_withheld_metrics_are_missing_with_the_reason():
    given = LoadMetrics({"ttft_p99_ms": {"value": 1.0}, "goodput_per_s": {"value": 2.0}}, [])
    kept = withhold(given, {"ttft": "load.saturated"})
    assert kept.metrics == {"goodput_per_s": {"value": 2.0}}
    assert kept.missing == [
        {"metric": "ttft_p99_ms", "message": "ttft_p99_ms is withheld: see the reason load.saturated."}
    ]


TEXT = {"text": "a b c", "reasoning": "", "refusal": "", "tool_calls": [], "first": "a b"}


def counted(samples, chat, **settings):
    return with_counted_tokens(samples, chat, lambda text: len(text.split()), **{"most": 100, "seed": 1, **settings})


def test_usage_may_be_one_more_than_the_text():
    samples, chat = (
        load_samples([0] * 3, [9] * 3),
        chat_samples(3, output_tokens=[3, 4, 5], texts=(TEXT,) * 3, chunks=3),
    )
    found, check = counted(samples, chat)
    assert (check.checked, check.differing, check.first) == (3, 1, "usage says 5, the tokenizer 3")
    assert found.first_tokens.tolist() == [2, 2, 2]
    reasons, withheld = doubts(samples, chat, check=check)
    assert "tokens.mismatch" in reasons
    assert withheld["tpot"] == "tokens.mismatch"


def test_an_answer_cut_within_a_character_has_hidden_tokens():
    samples, cut = load_samples([0] * 3, [9] * 3), {**TEXT, "text": "a b \U0001f600"}
    finish, texts = [StreamEnd.LENGTH, StreamEnd.STOP, StreamEnd.LENGTH], (cut, cut, TEXT)
    _, check = counted(samples, chat_samples(3, output_tokens=6, finish=finish, texts=texts))
    assert check.differing == 2


def test_tokens_without_usage_are_counted_here():
    samples = load_samples([0] * 2, [9] * 2)
    chat = chat_samples(2, output_tokens=-1, finish=[StreamEnd.STOP, StreamEnd.LENGTH], texts=(TEXT,) * 2)
    found, check = counted(samples, chat)
    assert (found.output_tokens.tolist(), check.is_counted_here, check.checked) == ([4, 3], True, 0)
    assert "tokens.counted" in doubts(samples, found, check=check)[0]


def test_only_plain_right_answers_are_counted_and_at_most_so_many():
    samples = load_samples([0] * 5, [9] * 5, outcome=[RequestOutcome.LOST] + [RequestOutcome.CHECKED] * 4)
    texts = (TEXT, {**TEXT, "reasoning": "hm"}, {**TEXT, "tool_calls": [{}]}, {**TEXT, "refusal": "no"}, TEXT)
    _, check = counted(samples, chat_samples(5, output_tokens=3, texts=texts, first_tokens=1))
    assert check.checked == 1
    many = load_samples([0] * 50, [9] * 50)
    assert counted(many, chat_samples(50, output_tokens=3, texts=(TEXT,) * 50), most=7)[1].checked == 7
    assert counted(many, chat_samples(50, output_tokens=3))[1].checked == 0
    assert counted(many, chat_samples(50, texts=({**TEXT, "first": ""},) * 50))[0].first_tokens.tolist() == [NEVER] * 50


def test_the_section_states_limits_tokens_and_blocks():
    samples, chat = test_run(cached_tokens=-1, models=("m",), finish=[*[StreamEnd.STOP] * 999, StreamEnd.LENGTH])
    found = chat_results(
        PLAN, fired(samples), chat, check=None, base=LoadMetrics({}, []), duration_s=100.0, seed=1, is_steady=True
    )
    section = found.section
    assert section["good"].items() >= {"n": N, "good": 800, "share": 0.8, "blocks": [0.8] * 50}.items()
    assert section["good"]["lower"] < 0.8 < section["good"]["upper"]
    assert section["limits"]["words"] == "TTFT ≤ 100 ms, TPOT ≤ 10 ms"
    assert section["finishes"] == {"stop": 999, "length": 1}
    assert section["tokens"] == {
        "input": 100 * N,
        "cached": None,
        "output": 11 * N,
        "reasoning": 0,
        "checked": 0,
        "differing": 0,
    }
    assert section["models"] == ["m"]
    without = dataclasses.replace(PLAN, limits=AnswerLimits())
    plain = chat_results(
        without, fired(samples), chat, check=None, base=LoadMetrics({}, []), duration_s=100.0, seed=1, is_steady=True
    )
    assert plain.section["good"] is None
    assert plain.section["workload"] == section["workload"]


UNKNOWN, AT_ONCE = {"output_tokens": -1}, {"chunks": 1}


@pytest.mark.parametrize(
    ("arrays", "limits", "is_kept"),
    [
        (UNKNOWN, {"ttft_ms": 100}, True),
        (UNKNOWN, {"ttft_ms": 100, "tpot_ms": 10}, False),
        (UNKNOWN, {"tpot_ms": 10}, False),
        (AT_ONCE, {"ttft_ms": 100}, True),
        (AT_ONCE, {"ttft_ms": 100, "tpot_ms": 10}, True),
        (AT_ONCE, {"e2e_ms": 900, "tpot_ms": 10}, True),
        (AT_ONCE, {"tpot_ms": 10}, False),
    ],
)
def test_a_goodput_by_a_limit_that_nobody_can_measure_is_withheld(arrays, limits, is_kept):
    """An answer that comes at once is judged by its first token, or its end; by TPOT alone, every one would be good."""
    samples, chat = test_run(**arrays)
    plan, base = dataclasses.replace(PLAN, limits=AnswerLimits(**limits)), LoadMetrics({}, [])
    found = chat_results(plan, fired(samples), chat, check=None, base=base, duration_s=100.0, seed=1, is_steady=True)
    assert ("goodput_per_s" in found.metrics.metrics) == is_kept
    assert (found.section["good"] is not None) == is_kept
    assert any(each["metric"] == "goodput_per_s" for each in found.metrics.missing) != is_kept


@pytest.mark.parametrize(
    ("first_ms", "is_blank", "is_doubted"), [(50, True, True), (50, False, False), (10, True, False)]
)
def test_a_placeholder_is_no_first_token(first_ms, is_blank, is_doubted):
    """A blank part at once and the answer later would be a short time to the first token."""
    gaps = np.tile([first_ms, 10, 10, 10], N) * MS
    arrays = {"gaps_ns": gaps, "gap_ends": np.arange(4, 4 * N + 1, 4), "is_blank_first": is_blank}
    found, withheld = doubts(*test_run(**arrays))
    assert found == ({"stream.placeholder": Status.INDICATIVE} if is_doubted else {})
    assert withheld == (
        dict.fromkeys(("ttft", "ttft_service", "ttfa", "good"), "stream.placeholder") if is_doubted else {}
    )


@pytest.mark.parametrize(
    ("text", "expected"), [("", False), (" ", True), ("\n\u200b\ufeff", True), ("a", False), (" a", False)]
)
def test_what_shows_nothing_is_blank(text, expected):
    assert is_blank(text) is expected


def test_prompts_of_one_law_are_one_workload():
    law = dataclasses.replace(PLAN, law="{}")
    assert workload_of(law) == workload_of(dataclasses.replace(law, digest="sha256:2"))
    assert workload_of(PLAN) != workload_of(dataclasses.replace(PLAN, digest="sha256:2"))


REASONS = tuple(ValidityReason(code, Status.INVALID, "") for code in ("generator.lag",))
LOST = ValidityReason("generator.lost_process", Status.INVALID, "")
PROCESSOR = ValidityReason("generator.processor", Status.INVALID, "")


@pytest.mark.parametrize(
    ("limits", "reasons", "expected"),
    [
        (AnswerLimits(ttft_ms=300), REASONS, ()),  # met in spite of the generator
        (AnswerLimits(ttft_ms=300), (LOST,), (LOST,)),
        (AnswerLimits(ttft_ms=100), (), ()),
        (AnswerLimits(ttft_ms=100), REASONS, REASONS),  # missed, because requests waited here
        (AnswerLimits(ttft_ms=40), REASONS, ()),  # missed from the moment of sending, too
        (AnswerLimits(ttft_ms=40), (PROCESSOR,), (PROCESSOR,)),
    ],
)
def test_limits_of_the_generator_are_none_of_the_server(limits, reasons, expected):
    samples, chat = test_run()
    plan = dataclasses.replace(PLAN, limits=limits)
    assert limits_of_chat_client(plan, fired(samples), chat, reasons) == expected


def test_nobody_answered_is_a_share_of_zero():
    samples = load_samples([0], [1], outcome=RequestOutcome.UNSETTLED)
    assert limits_of_chat_client(PLAN, fired(samples), chat_samples(1), REASONS) == ()


def test_answers_are_a_file_that_can_be_scored(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_text('{"id": "a", "prompt": "x"}\n{"id": "b", "prompt": "y"}\n')
    outcomes = [RequestOutcome.CHECKED, RequestOutcome.BUSY, RequestOutcome.CHECKED, RequestOutcome.UNSETTLED]
    samples = load_samples([0] * 4, [9] * 4, outcome=outcomes)
    call = {**TEXT, "tool_calls": [{"name": "f", "arguments": "{}"}]}
    chat = chat_samples(
        4,
        prompt=[1, 0, 1, 0],
        finish=[StreamEnd.LENGTH, StreamEnd.NONE, StreamEnd.STOP, 0],
        texts=(TEXT, TEXT, call, TEXT),
        input_tokens=[5, -1, 5, 5],
        output_tokens=[6, -1, 6, 6],
        cached_tokens=-1,
        reasoning_tokens=-1,
    )
    plan = dataclasses.replace(PLAN, prompts=str(path))
    first, second, third = answers_of(plan, samples, chat, {"busy": "status 429"})
    assert (first.id, first.attempt, first.finish.value, first.usage.output_tokens) == ("b", 0, "length", 6)
    assert (second.id, second.finish.value, second.error, second.usage) == ("a", "error", "busy: status 429", None)
    assert (third.attempt, third.tool_calls[0].name, third.usage.cached_tokens) == (1, "f", None)


def test_what_is_not_known_is_not_printed():
    tokens = dict.fromkeys(("input", "cached", "output", "reasoning")) | {"checked": 0, "differing": 0}
    limits = {"words": "TTFT ≤ 500 ms", "source": ""}
    streaming = {"limits": limits, "good": None, "tokens": tokens, "models": []}
    assert list(streaming_lines({"streaming": streaming})) == []
    streaming |= {"good": {"good": 3, "n": 4}, "tokens": tokens | {"output": 90, "checked": 4, "differing": 1}}
    assert list(streaming_lines({"streaming": streaming | {"models": ["m-1", "m-2"]}})) == [
        "good answers: 3 of 4 within TTFT ≤ 500 ms",
        "tokens: output 90; 4 answers counted by the tokenizer, 1 differ",
        "answered by: m-1; m-2",
    ]
    assert list(streaming_lines({})) == []
