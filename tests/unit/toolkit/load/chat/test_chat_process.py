"""One process of the generator that sends prompts, run here: what it sends, what it keeps of each answer."""

import asyncio
import base64
import dataclasses
import io
import json

import numpy as np
import pytest

from examples.support_assistant.double.law import Law
from examples.support_assistant.double.running import double_thread
from tests.unit.toolkit.load.servers import pinned
from tests.unit.toolkit.load.test_child import Talk
from weighbridge.load.chat import engine
from weighbridge.load.chat.results.samples import ChatSamples, read_chat_samples
from weighbridge.load.chat.settings import ChatPlan
from weighbridge.load.generator import child
from weighbridge.load.plan import Arrivals, LoadCaps, LoadPlan
from weighbridge.load.results.samples import LoadSamples, RequestOutcome, read_samples

QUICK = Law(ttft_ms=2, tpot_ms=1, cache_block=0)


@dataclasses.dataclass(frozen=True)
class Kept:
    """What one process kept: samples, streams, its counters, and what the double saw."""

    samples: LoadSamples
    chat: ChatSamples
    done: dict
    records: list


def plan_of(folder, *prompts, chat=None, **changes):
    lines = (json.dumps({"id": f"p-{n}"} | prompt) for n, prompt in enumerate(prompts))
    (folder / "prompts.jsonl").write_text("\n".join(lines))
    settings = {"prompts": str(folder / "prompts.jsonl"), "name": "prompts.jsonl", "digest": "0" * 64}
    chat = ChatPlan(**settings | {"keeps_text": True} | (chat or {}))
    usual = {"rate_per_s": 40, "duration_s": 0.5, "arrivals": Arrivals.CONSTANT, "connections": 5, "timeout_s": 20}
    usual |= {"url": "http://localhost/v1/chat/completions", "method": "POST", "chat": chat}
    return LoadPlan(**usual | changes)


def kept_of(folder, plan, law=QUICK, *, share=0, of=1, room=True, answer=None) -> Kept:
    talk = Talk()
    with double_thread(law, **({"answer": answer} if answer else {})) as double:
        order = {
            "plan": {**dataclasses.asdict(plan), "headers": []},
            "target": dataclasses.asdict(pinned(double.port, path="/v1/chat/completions")),
            "share": share,
            "of": of,
            "caps": dataclasses.asdict(LoadCaps()),
            "samples": str((folder if room else folder / "none") / "samples.npz"),
        }
        asyncio.run(child.serve(order, inbox=talk.inbox, say=talk.say))
        records = double.records()["requests"]
    done = talk.said[-1]["done"]
    content = {
        name: io.BytesIO(base64.b64decode(done[name]) if name in done else (folder / f"samples{end}").read_bytes())
        for name, end in (("samples", ".npz"), ("chat", ".chat.npz"))
    }
    return Kept(read_samples(content["samples"]), read_chat_samples(content["chat"]), done, records)


def said(kept):
    return [text["text"].strip() for text in kept.chat.texts]


def test_every_request_has_its_moments_tokens_and_text(tmp_path):
    plan = plan_of(tmp_path, *({"prompt": f"question {n}"} for n in range(20)))
    kept = kept_of(tmp_path, plan, Law(ttft_ms=20, tpot_ms=2, output="8", cache_block=0))
    assert sorted(kept.chat.prompt.tolist()) == list(range(20))
    assert kept.chat.output_tokens.tolist() == [8] * 20 == [record["output_tokens"] for record in kept.records]
    assert len(kept.chat.gaps_ns) == kept.chat.gap_ends[-1] == 20 * 7
    assert (kept.samples.sent_ns < kept.chat.headers_ns).all()
    assert (kept.chat.headers_ns <= kept.chat.first_ns).all()
    assert (kept.chat.first_ns - kept.samples.sent_ns > 20e6).all()
    assert (kept.chat.first_ns <= kept.chat.finish_ns).all()
    assert np.median(kept.chat.finish_ns - kept.chat.first_ns) > 0
    assert kept.done["reading_s"] > 0
    assert all(said(kept))


def test_texts_and_gaps_are_dropped_if_nobody_asked_for_them_or_there_are_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr(engine, "MOST_CHUNKS", 8)
    plan = plan_of(tmp_path, {"prompt": "hello"}, chat={"keeps_text": False}, rate_per_s=4)
    kept = kept_of(tmp_path, plan, Law(ttft_ms=2, tpot_ms=1, output="6", cache_block=0))
    assert kept.chat.texts == ()
    assert kept.chat.chunks.tolist() == [6, 6]
    assert len(kept.chat.gaps_ns) == 5, "those of the first answer"
    mean_gap_ns = (kept.chat.finish_ns - kept.chat.first_ns) / 5
    assert (kept.chat.largest_gap_ns >= mean_gap_ns).all()
    assert kept.chat.largest_gap_ns[0] == kept.chat.gaps_ns.max()


def test_samples_of_answers_that_find_no_room_go_to_the_parent(tmp_path):
    plan = plan_of(tmp_path, {"prompt": "hello"}, rate_per_s=4)
    kept = kept_of(tmp_path, plan, room=False)
    assert set(kept.done) >= {"samples", "chat"}
    assert kept.samples.answered.sum() == 2 == len(said(kept))


def test_a_process_takes_every_nth_prompt_of_a_trace(tmp_path):
    prompts = ({"prompt": "x", "at_s": 3 + n / 20} for n in range(6))
    plan = plan_of(tmp_path, *prompts, arrivals=Arrivals.TRACE, rate_per_s=1)
    kept = kept_of(tmp_path, plan, share=1, of=2)
    assert kept.chat.prompt.tolist() == [1, 3, 5]
    assert np.allclose(kept.samples.scheduled_ns, [5e7, 15e7, 25e7])


def test_users_of_a_closed_loop_send_prompts(tmp_path):
    users = {"rate_per_s": 0, "users": 2, "think_s": 0.01, "duration_s": 1.0, "arrivals": Arrivals.POISSON}
    plan = plan_of(tmp_path, {"prompt": "a"}, {"prompt": "b"}, **users)
    kept = kept_of(tmp_path, plan)
    assert len(kept.chat.prompt) > 4
    assert set(kept.chat.prompt.tolist()) == {0, 1}


def last_words(request):
    return f"heard {len(request['messages'])}"


def conversation(folder, **changes):
    turns = ({"prompt": f"turn {n}", "session": "s", "turn": n} for n in range(3))
    chat = {"is_conversation": True, "think_s": 0.05}
    return plan_of(folder, *turns, chat=chat, **{"rate_per_s": 1, "duration_s": 2.0} | changes)


def test_a_turn_sends_what_was_said_before_one_think_time_after_the_answer(tmp_path):
    kept = kept_of(tmp_path, conversation(tmp_path), answer=last_words)
    assert len(kept.chat.prompt) == 6, "two conversations of three turns"
    assert kept.chat.prompt.tolist()[:2] == [0, 0]
    assert sorted(said(kept)) == sorted(["heard 1", "heard 3", "heard 5"] * 2), "each answer is part of what follows"
    first = {turn: kept.samples.scheduled_ns[kept.chat.prompt == turn].min() for turn in (0, 1, 2)}
    ended = {turn: kept.samples.done_ns[kept.chat.prompt == turn].min() for turn in (0, 1)}
    assert [first[turn + 1] - ended[turn] for turn in (0, 1)] == pytest.approx([5e7, 5e7], abs=1e6)


@pytest.mark.parametrize(
    ("law", "duration_s", "requests"),
    [({"behavior": "error_event"}, 1.0, 2), ({}, 0.03, 1)],
    ids=["at a turn that fails", "at the end of the test"],
)
def test_a_conversation_ends_early(tmp_path, law, duration_s, requests):
    law = Law(**{"ttft_ms": 2, "tpot_ms": 1, "cache_block": 0, **law})
    plan = conversation(tmp_path, duration_s=duration_s, rate_per_s=2 if duration_s == 1 else 34)
    assert len(kept_of(tmp_path, plan, law).chat.prompt) == requests


def test_a_prompt_that_finds_no_connection_has_no_stream(tmp_path):
    law = Law(ttft_ms=2, tpot_ms=1, behavior="never", cache_block=0)
    kept = kept_of(tmp_path, plan_of(tmp_path, {"prompt": "hello"}, connections=1, timeout_s=0.5), law)
    waited = kept.samples.sent_ns < 0
    assert waited.any()
    assert (kept.chat.headers_ns[waited] < 0).all()
    assert kept.chat.chunks.tolist() == [0] * 20
    assert said(kept) == [""] * 20


@pytest.mark.parametrize(
    ("behavior", "outcome", "words"),
    [
        ("stall", RequestOutcome.STALLED, "the stream stopped before its end"),
        ("close_early", RequestOutcome.CUT_SHORT, "the connection was closed before the end of the stream"),
        ("never", RequestOutcome.TIMED_OUT, ""),
        ("busy_retry_after", RequestOutcome.BUSY, "asks to try again after 7"),
        ("busy", RequestOutcome.BUSY, "429"),
    ],
)
def test_a_failure_has_a_name_and_keeps_what_had_arrived(tmp_path, behavior, outcome, words):
    law = Law(ttft_ms=2, tpot_ms=1, output="9", behavior=behavior, retry_after_s=7, cache_block=0)
    timeout_s = 1.0 if behavior in {"stall", "never"} else 20
    kept = kept_of(tmp_path, plan_of(tmp_path, {"prompt": "hello"}, rate_per_s=4, timeout_s=timeout_s), law)
    assert kept.samples.outcome.tolist() == [outcome] * 2
    assert words in kept.done["complaints"][outcome.name.lower()]
    is_begun = behavior in {"stall", "close_early"}
    assert [bool(text) for text in said(kept)] == [is_begun] * 2
    assert (kept.chat.first_ns >= 0).tolist() == [is_begun] * 2
