"""The double at the pace of a simulated replica gives the times of the simulation."""

import json

import numpy as np
import pytest

from examples.support_assistant.batched_pace import BatchedPace
from examples.support_assistant.batching import Replica, simulate
from examples.support_assistant.double.__main__ import make_pace_of, parser
from examples.support_assistant.double.law import Law
from examples.support_assistant.double.pace import PacedAnswer, StatedPace
from examples.support_assistant.double.running import double_process, double_thread
from tests.unit.examples.support_assistant.double.chats import USAGE, chat
from tests.unit.examples.support_assistant.double.test_times import StillLoop
from weighbridge.core.errors import Invalid


def answered(pace: BatchedPace, arrived_s: float, inputs: int, outputs: int, *, cached: int = 0) -> list[float]:
    """Begin an answer; the times at which its tokens were due go into the list that is returned."""
    found: list[float] = []

    def produced(number: int, due_s: float) -> None:
        found.append(due_s)
        assert number == len(found)
        if number == outputs:
            pace.end(answer, due_s)

    answer = PacedAnswer(
        arrived_s=arrived_s, input_tokens=inputs, cached_tokens=cached, output_tokens=outputs, produced=produced
    )
    pace.begin(answer)
    return found


@pytest.mark.parametrize("slots", [1, 3, 16])
def test_times_are_those_of_the_simulation(slots) -> None:
    rng = np.random.default_rng(slots)
    replica = Replica(slots=slots, chunk_tokens=64, kv_tokens=4_000)
    due_s = np.cumsum(rng.exponential(0.15, 200))
    inputs, outputs = rng.integers(1, 300, 200), rng.integers(1, 20, 200)
    loop = StillLoop()
    pace = BatchedPace(replica, loop)
    found = []
    for due, count, more in zip(due_s, inputs, outputs, strict=True):
        loop.run(float(due))
        found.append(answered(pace, float(due), int(count), int(more)))
    loop.run(1e4)
    expected = simulate(replica, due_s, inputs.tolist(), outputs.tolist())
    assert [each[0] for each in found] == pytest.approx(expected.first_s, abs=1e-9)
    assert [each[-1] for each in found] == pytest.approx(expected.finish_s, abs=1e-9)
    assert [len(each) for each in found] == outputs.tolist()


def test_cached_tokens_need_no_prefill_and_late_steps_keep_their_times() -> None:
    replica = Replica(slots=4, step_s=0.02, sequence_s=0.0, input_token_s=0.001)
    loop = StillLoop()
    pace = BatchedPace(replica, loop)
    found = answered(pace, 0.0, 100, 3, cached=90)
    loop.now = 1.0
    loop.run(1.0)
    assert found == pytest.approx([0.03, 0.05, 0.07])


def test_an_answer_whose_client_is_gone_keeps_its_place() -> None:
    loop = StillLoop()
    pace = BatchedPace(Replica(slots=1, step_s=0.1, sequence_s=0.0, input_token_s=0.0), loop)
    gone = PacedAnswer(arrived_s=0.0, input_tokens=1, cached_tokens=0, output_tokens=5, produced=pytest.fail)
    pace.begin(gone)
    pace.end(gone, 0.0)
    found = answered(pace, 0.0, 1, 1)
    loop.run(9.0)
    assert found == pytest.approx([0.6])


def test_what_the_replica_cannot_hold_is_refused_and_nothing_else_is() -> None:
    with double_thread(Law(), make_pace=lambda _, loop: BatchedPace(Replica(slots=2, kv_tokens=60), loop)) as double:
        found = chat(double, "x", max_tokens=100, ignore_eos=True)
        assert (found.status, found.document["error"]["type"]) == (400, "invalid_request_error")
        assert "cannot hold the request" in found.document["error"]["message"]
        assert chat(double, "x", stream_options=USAGE).usage["completion_tokens"] == 16


def test_the_program_takes_a_replica_as_json() -> None:
    stated = make_pace_of(parser().parse_args(["--replica", '{"slots": 3, "step_s": 0.5}']))
    assert isinstance(stated(Law(), StillLoop()), BatchedPace)
    assert make_pace_of(parser().parse_args([])) is StatedPace
    for text in ("{", "[]", '{"speed": 1}'):
        with pytest.raises(Invalid, match="The replica is not read"):
            make_pace_of(parser().parse_args(["--replica", text]))


@pytest.mark.slow
def test_a_process_slows_as_its_batch_grows() -> None:
    replica = Replica(slots=8, step_s=0.01, sequence_s=0.05, input_token_s=0.0)
    with double_process(Law(output="3"), replica=json.loads(json.dumps(vars(replica)))) as double:
        chat(double, "alone")
        (record,) = double.records()["requests"]
    assert np.diff(record["due_ns"]) / 1e9 == pytest.approx([0.06, 0.06], abs=1e-6)
