"""One process of the generator, run here: what it is told and what it says."""

import asyncio
import base64
import dataclasses
import io
import json
import os
import runpy
import signal
import sys

import pytest

from tests.unit.toolkit.load.servers import OK, answering, pinned, request_from, serving
from weighbridge.load.expectation import Expectation
from weighbridge.load.generator import child
from weighbridge.load.plan import Arrivals, LoadCaps, LoadPlan
from weighbridge.load.results.samples import read_samples
from weighbridge.load.schedule import due_times_ns

pytestmark = pytest.mark.slow

PLAN = LoadPlan(
    url="http://localhost/", rate_per_s=100, duration_s=0.5, arrivals=Arrivals.CONSTANT, connections=5, timeout_s=1
)


def order(port, folder, plan=PLAN, **more):
    return {
        "plan": {**dataclasses.asdict(plan), "headers": []},
        "target": dataclasses.asdict(pinned(port)),
        "share": 1,
        "of": 2,
        "caps": dataclasses.asdict(LoadCaps(answer_bytes=1000)),
        "samples": str(folder / "samples.npz"),
        **more,
    }


def test_a_share_is_every_nth_request_and_its_part_of_the_connections(tmp_path):
    second = child.job_from(json.loads(json.dumps(order(80, tmp_path))))
    first = child.job_from(order(80, tmp_path, share=0))
    assert (first.first, second.first, first.step, second.step) == (0, 1, 2, 2)
    assert (first.pool.most, second.pool.most) == (first.pool.warm, second.pool.warm) == (3, 2)
    assert sorted([*first.due_ns, *second.due_ns]) == due_times_ns(PLAN).tolist()


class Talk:
    """A parent's side: writes orders once a word was heard."""

    def __init__(self, *, start=True, stop=False, leave=False):
        self.inbox, self.outbox = os.pipe()
        self.said, self.start, self.stop, self.leave = [], start, stop, leave

    def say(self, words):
        self.said.append(words)
        if "ready" in words and self.start:
            start = json.dumps({"start_ns": child.time.monotonic_ns()}) + "\n"
            os.write(self.outbox, start[:5].encode())
            os.write(self.outbox, start[5:].encode())
        if self.stop and ("settled" in words or not self.start):
            os.write(self.outbox, b'{"stop": true}\n')
        if self.leave and "settled" in words:
            os.close(self.outbox)
            self.leave = False


def serve(order_, talk, answer):
    async def run():
        async with serving(answer) as port:
            told = {**order_, "target": dataclasses.asdict(pinned(port))}
            await child.serve(told, inbox=talk.inbox, say=talk.say)

    asyncio.run(run())
    os.close(talk.inbox)


def test_it_says_ready_then_how_far_and_then_done(tmp_path, monkeypatch):
    monkeypatch.setattr(child, "REPORT_INTERVAL_S", 0.02)
    talk = Talk()
    serve(order(0, tmp_path), talk, answering(OK))
    os.close(talk.outbox)
    assert talk.said[0] == {"ready": 2}
    assert {"settled", "failed"} == set(talk.said[1])
    done = talk.said[-1]["done"]
    assert (done["opened"], done["complaints"]) == (2, {})
    assert done["cpu_s"] > 0
    assert 0 < done["processor_share"] == done["cpu_s"], "of a second, because the test was shorter"
    assert (done["peak"], done["pool_limits"], done["streamed"]) == (2, [], 0)
    with (tmp_path / "samples.npz").open("rb") as file:
        assert read_samples(file).answered.sum() == 25


def test_samples_that_find_no_room_go_to_the_parent(tmp_path):
    talk = Talk()
    serve(order(0, tmp_path / "none"), talk, answering(OK))
    os.close(talk.outbox)
    content = io.BytesIO(base64.b64decode(talk.said[-1]["done"]["samples"]))
    assert read_samples(content).answered.sum() == 25


def test_users_of_a_closed_loop_are_shared(tmp_path):
    talk = Talk()
    plan = LoadPlan(url=PLAN.url, rate_per_s=0, users=4, think_s=0.05, duration_s=0.3)
    serve(order(0, tmp_path, plan), talk, answering(OK))
    os.close(talk.outbox)
    assert talk.said[0] == {"ready": 2}, "two of four users, each with a connection"
    with (tmp_path / "samples.npz").open("rb") as file:
        assert read_samples(file).answered.sum() >= 4


def test_values_of_headers_are_hidden_where_a_target_repeats_them(tmp_path):
    told = order(0, tmp_path, dataclasses.replace(PLAN, expect=Expectation(json_key="ok", every=1)))
    told["plan"]["headers"] = [["Authorization", "Bearer sekret-token-77"], ["Accept", "application/json"]]

    async def echo(reader, writer):
        while head := await request_from(reader):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(head) + head)

    talk = Talk()
    serve(told, talk, echo)
    os.close(talk.outbox)
    said = talk.said[-1]["done"]["complaints"]["wrong_answer"]
    assert "sekret" not in said
    assert "[hidden]" in said


@pytest.mark.parametrize("how", ["stop", "leave"])
def test_a_stop_or_an_orphan_keeps_what_was_measured(tmp_path, how):
    talk = Talk(**{how: True})
    plan = dataclasses.replace(PLAN, duration_s=60.0)
    serve(order(0, tmp_path, plan), talk, answering(OK))
    if how == "stop":
        os.close(talk.outbox)
    assert "done" in talk.said[-1]
    with (tmp_path / "samples.npz").open("rb") as file:
        samples = read_samples(file)
    assert 0 < samples.answered.sum() < 200
    assert len(samples.outcome) == 3000


def test_a_stop_before_the_start_leaves_nothing(tmp_path):
    talk = Talk(start=False, stop=True)
    serve(order(0, tmp_path), talk, answering(OK))
    os.close(talk.outbox)
    assert talk.said == [{"ready": 2}]
    assert not (tmp_path / "samples.npz").exists()


def test_a_refusal_reaches_the_parent_in_words(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, child.__name__)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    inbox, outbox = os.pipe()
    os.write(outbox, json.dumps(order(1, tmp_path)).encode() + b"\n")
    heard = io.StringIO()
    monkeypatch.setattr(sys, "stdout", heard)
    with os.fdopen(inbox) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        with pytest.raises(SystemExit) as end:
            runpy.run_module(child.__name__, run_name="__main__")
    assert end.value.code == 0
    os.close(outbox)
    for number, handler in before.items():
        signal.signal(number, handler)
    assert json.loads(heard.getvalue())["refusal"]["code"] == "unreachable"


def test_a_line_ends_with_the_pipe():
    inbox, outbox = os.pipe()
    os.write(outbox, b"half")
    os.close(outbox)
    assert child._first_line(inbox) == b"half"
    os.close(inbox)
