"""Limits, prompts, laws and parameters of a load test of a language model."""

import json

import numpy as np
import pytest

from weighbridge.core.errors import Invalid
from weighbridge.load.chat.law import PromptLaw, generated_prompts, law_from
from weighbridge.load.chat.limits import Limits, limits_from, preset_limits
from weighbridge.load.chat.prompt_order import PromptOrder
from weighbridge.load.chat.prompts import chat_bodies, conversations_of, prompts_of, trace_times_s
from weighbridge.load.chat.settings import ChatPlan, parameters_from
from weighbridge.load.plan import Arrivals, LoadPlan
from weighbridge.quality.prompts.prompt_file import Prompt

NONE = {"ttft_ms": None, "tpot_ms": None, "e2e_ms": None}


def chat_plan(tmp_path, *prompts, **settings):
    path = tmp_path / "prompts.jsonl"
    path.write_text("".join(json.dumps({"id": f"p-{n}", **prompt}) + "\n" for n, prompt in enumerate(prompts)))
    return ChatPlan(prompts=str(path), name=path.name, digest="sha256:0", **settings)


def test_the_limits_of_mlperf_have_their_source():
    assert len(preset_limits()) == 9
    limits = limits_from("llama3.1-8b-interactive", **NONE, share=0.99)
    assert (limits.ttft_ms, limits.tpot_ms, limits.e2e_ms, limits.share) == (500, 30, None, 0.99)
    assert limits.source == (
        "MLPerf Inference, loadgen/mlperf.conf, commit 001712e (2026-11-01), llama3.1-8b-interactive"
    )
    changed = limits_from("llama2-70b", **{**NONE, "ttft_ms": 300.0}, share=0.95)
    assert (changed.ttft_ms, changed.tpot_ms) == (300, 200)
    assert changed.source.endswith("llama2-70b; changed here: ttft_ms")
    assert limits_from("", **{**NONE, "e2e_ms": 9.0}, share=0.9) == Limits(e2e_ms=9, share=0.9)


def test_unknown_limits_are_refused_with_the_known_ones():
    with pytest.raises(Invalid, match="There are no limits 'gpt'; there are deepseek-r1, "):
        limits_from("gpt", **NONE, share=0.95)


@pytest.mark.parametrize(
    "given", [{"ttft_ms": 0}, {"tpot_ms": -1}, {"e2e_ms": float("inf")}, {"share": 1}, {"share": 0}]
)
def test_limits_that_cannot_be_kept_are_refused(given):
    with pytest.raises(Invalid):
        Limits(**given)


def test_limits_in_words():
    assert Limits(ttft_ms=500, tpot_ms=30.5).words() == "TTFT ≤ 500 ms, TPOT ≤ 30.5 ms"
    assert not Limits().is_some


def test_parameters_are_json_where_they_can_be():
    assert json.loads(parameters_from(["temperature=0", "stop=end", "cache_prompt=false", 'logit={"1": 2}'])) == {
        "temperature": 0,
        "stop": "end",
        "cache_prompt": False,
        "logit": {"1": 2},
    }


@pytest.mark.parametrize("text", ["temperature", "=1", "stream=false", "messages=[]", "model=x"])
def test_a_parameter_may_not_be_the_request_itself(text):
    with pytest.raises(Invalid):
        parameters_from([text])


def test_there_are_not_endless_parameters():
    with pytest.raises(Invalid, match="at most 50"):
        parameters_from([f"p{n}=1" for n in range(51)])


@pytest.mark.parametrize("given", [{"max_tokens": 0}, {"speed": 0}, {"speed": float("nan")}, {"cached_share": 1.5}])
def test_settings_that_cannot_be_used_are_refused(tmp_path, given):
    with pytest.raises(Invalid):
        chat_plan(tmp_path, **given)


def test_the_document_has_no_folders(tmp_path):
    plan = chat_plan(tmp_path, tokenizer=str(tmp_path / "tokenizer.json"), parameters='{"seed": 1}')
    document = plan.as_document()
    assert str(tmp_path) not in json.dumps(document)
    assert (document["tokenizer"], document["parameters"]) == ("tokenizer.json", {"seed": 1})


def test_bodies_ask_for_a_stream_with_its_usage(tmp_path):
    plan = chat_plan(
        tmp_path,
        {"prompt": "hello"},
        {
            "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
            "max_tokens": 7,
            "tools": [{"type": "function"}],
            "response_format": {"type": "json_object"},
        },
        model="m",
        max_tokens=5,
        parameters='{"temperature": 0}',
    )
    first, second = map(json.loads, chat_bodies(plan))
    assert first == {
        "temperature": 0,
        "model": "m",
        "max_tokens": 5,
        "stream": True,
        "stream_options": {"include_usage": True},
        "messages": [{"role": "user", "content": "hello"}],
    }
    assert (second["max_tokens"], second["tools"], second["response_format"]) == (
        7,
        [{"type": "function"}],
        {"type": "json_object"},
    )


def test_a_file_without_prompts_is_refused(tmp_path):
    with pytest.raises(Invalid):
        prompts_of(chat_plan(tmp_path))


def prompt(name, **given):
    return Prompt(id=name, messages=({"role": "user", "content": name},), **given)


def test_the_turns_of_a_session_are_in_order():
    prompts = [prompt("a", session="s", turn=1), prompt("b"), prompt("c", session="s", turn=0)]
    assert conversations_of(prompts) == [[2, 0], [1]]
    with pytest.raises(Invalid, match="The session 's' has a turn twice"):
        conversations_of([prompt("a", session="s"), prompt("b", session="s")])


def test_a_trace_has_times_in_order():
    assert trace_times_s([prompt("a", at_s=5.0), prompt("b", at_s=6.0)], speed=2) == [0.0, 0.5]
    with pytest.raises(Invalid, match="needs at_s"):
        trace_times_s([prompt("a", at_s=5.0), prompt("b")], speed=1)
    with pytest.raises(Invalid, match="in the order of at_s"):
        trace_times_s([prompt("a", at_s=5.0), prompt("b", at_s=4.0)], speed=1)


def test_prompts_are_used_up_before_one_is_repeated():
    order = PromptOrder(5, seed=3)
    first, second = ([order.place(turn * 5 + n) for n in range(5)] for turn in range(2))
    assert sorted(first) == sorted(second) == [0, 1, 2, 3, 4]
    assert [PromptOrder(5, seed=3).place(n) for n in range(5)] == first
    assert [PromptOrder(3, seed=3, is_shuffled=False).place(n) for n in range(4)] == [0, 1, 2, 0]


def test_a_law_generates_lengths_and_shared_beginnings():
    law = law_from(
        "input=60,input_sigma=0.5,output=20,output_sigma=0.3,prefix=30,prefix_share=0.5,prefixes=2,prompts=2000"
    )
    lines = [json.loads(line) for line in generated_prompts(law, seed=1).splitlines()]
    words = np.array([len(line["prompt"].split()) for line in lines])
    assert len(lines) == 2000
    assert np.median(words) == pytest.approx(60, rel=0.05)
    assert np.median([line["max_tokens"] for line in lines]) == pytest.approx(20, abs=1)
    beginnings = [" ".join(line["prompt"].split()[:30]) for line in lines]
    shared = [each for each in beginnings if beginnings.count(each) > 5]
    assert len(set(shared)) == 2
    assert len(shared) / 2000 == pytest.approx(0.5, abs=0.04)
    assert generated_prompts(law, seed=1) == generated_prompts(law, seed=1) != generated_prompts(law, seed=2)


def test_a_law_without_output_leaves_the_answers_free():
    line = json.loads(generated_prompts(PromptLaw(input=3, prompts=1), seed=1))
    assert set(line) == {"id", "prompt"}
    assert len(line["prompt"].split()) == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        "input",
        "input=a",
        "words=3",
        "input=1,input=2",
        "input=0",
        "input=-1",
        "prompts=0",
        "prompts=200000",
        "prefixes=9,prompts=3",
        "prefix_share=2",
        "input=300000",
        "input_sigma=4",
        "input=inf",
        "prompts=1.5",
    ],
)
def test_a_law_that_cannot_be_is_refused(text):
    with pytest.raises(Invalid):
        law_from(text)


POST = {"url": "http://localhost/", "rate_per_s": 1, "duration_s": 1, "method": "POST"}


@pytest.mark.parametrize(
    "given",
    [{"method": "GET"}, {"body": "x.json"}, {"protocol": "h2c"}],
)
def test_what_does_not_go_with_prompts_is_refused(tmp_path, given):
    from weighbridge.load.plan import Protocol

    given = {**given, **({"protocol": Protocol.HTTP_2_CLEAR} if "protocol" in given else {})}
    with pytest.raises(Invalid):
        LoadPlan(**{**POST, **given}, chat=chat_plan(tmp_path))


def test_conversations_have_a_rate_and_a_replay_has_prompts(tmp_path):
    with pytest.raises(Invalid, match="Conversations start at a rate"):
        LoadPlan(**POST, arrivals=Arrivals.TRACE, chat=chat_plan(tmp_path, is_conversation=True))
    with pytest.raises(Invalid, match="Only prompts have the times of a replay"):
        LoadPlan(**POST, arrivals=Arrivals.TRACE)
