"""The times of the double are those of its law: by its own records, in a process of its own."""

import asyncio
import itertools
import threading

import numpy as np
import pytest

from examples.support_assistant.double.law import Law
from examples.support_assistant.double.pace import PacedAnswer, StatedPace
from examples.support_assistant.double.running import double_process, double_thread
from tests.unit.examples.support_assistant.double.chats import USAGE, chat
from weighbridge.core.errors import Invalid

NS = 1e9


class StillLoop:
    """A loop whose time moves only when it is told to; timers run in order of their time."""

    def __init__(self) -> None:
        self.now, self._timers, self._count = 0.0, [], itertools.count()

    def time(self) -> float:
        return self.now

    def call_at(self, when, call, *given):
        timer = Timer(when, next(self._count), call, given)
        self._timers.append(timer)
        return timer

    def run(self, until: float) -> None:
        while timers := [each for each in self._timers if not each.is_over and each.when <= until]:
            timer = min(timers, key=lambda each: (each.when, each.number))
            self.now, timer.is_over = max(self.now, timer.when), True
            timer.call(*timer.given)
        self.now = max(self.now, until)


class Timer:
    def __init__(self, when, number, call, given) -> None:
        self.when, self.number, self.call, self.given, self.is_over = when, number, call, given, False

    def cancel(self) -> None:
        self.is_over = True


def begun(pace: StatedPace, loop: StillLoop, count: int, **fields) -> list[float]:
    """Begin a turn now; the times at which its tokens were due go into the list that is returned."""
    found = []

    def produced(number: int, due_s: float) -> None:
        found.append(due_s)
        if number == count:
            pace.end(turn, due_s)

    turn = PacedAnswer(
        arrived_s=loop.now, output_tokens=count, produced=produced, **{"input_tokens": 0, "cached_tokens": 0} | fields
    )
    pace.begin(turn)
    return found


def test_each_token_is_due_as_the_law_says() -> None:
    loop = StillLoop()
    pace = StatedPace(Law(ttft_ms=50, tpot_ms=10, input_ms_per_token=0.5), loop)
    found = begun(pace, loop, 4, input_tokens=100, cached_tokens=80)
    loop.run(1.0)
    assert found == pytest.approx([0.060, 0.070, 0.080, 0.090])


def test_slots_go_by_order_of_arrival_as_lindley_says() -> None:
    rng = np.random.default_rng(5)
    loop = StillLoop()
    pace = StatedPace(Law(ttft_ms=30, tpot_ms=10, slots=1), loop)
    arrivals, counts = np.cumsum(rng.exponential(0.1, 300)), rng.integers(1, 12, 300)
    found = []
    for arrival, count in zip(arrivals, counts, strict=True):
        loop.run(float(arrival))
        found.append(begun(pace, loop, int(count)))
    loop.run(1e3)
    free = 0.0
    for arrival, count, due in zip(arrivals, counts, found, strict=True):
        start = max(arrival, free)
        free = start + 0.03 + 0.01 * (count - 1)
        assert (due[0], due[-1]) == pytest.approx((start + 0.03, free), abs=1e-9)


def test_a_client_that_leaves_gives_its_slot_or_its_place_away() -> None:
    loop = StillLoop()
    pace = StatedPace(Law(ttft_ms=100, tpot_ms=100, slots=1), loop)
    left = [
        PacedAnswer(arrived_s=0.0, input_tokens=0, cached_tokens=0, output_tokens=9, produced=lambda *_: None)
        for _ in "ab"
    ]
    for turn in left:
        pace.begin(turn)
    found = begun(pace, loop, 2)
    loop.run(0.25)
    for turn in reversed(left):
        pace.end(turn, loop.now)
    loop.run(9.0)
    assert found == pytest.approx([0.35, 0.45])


def test_late_tokens_follow_at_once_and_keep_their_times() -> None:
    loop = StillLoop()
    found = begun(StatedPace(Law(ttft_ms=10, tpot_ms=10), loop), loop, 5)
    loop.now = 0.037
    loop.run(0.037)
    assert found == pytest.approx([0.01, 0.02, 0.03])
    loop.run(1.0)
    assert found == pytest.approx([0.01, 0.02, 0.03, 0.04, 0.05])


def ask_at_once(double, count: int, **fields) -> None:
    threads = [threading.Thread(target=chat, args=(double, f"question {n}"), kwargs=fields) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.slow
def test_a_process_keeps_to_its_times_and_freezes_as_a_whole() -> None:
    """What is written is never early; how late it is depends on the machine, so that only the median is held."""
    law = Law(ttft_ms=60, tpot_ms=20, output="10", freeze=(0.1, 0.5), tokens_per_chunk=(1, 3))
    with double_process(law) as double:
        ask_at_once(double, 4)
        chat(double, "later", stream_options=USAGE)
        found = double.records()
        double.ask("POST", "/double/forget")
        assert double.records() == {"requests": [], "freezes_ns": []}
    ((start, end),) = found["freezes_ns"]
    assert 0.499 <= (end - start) / NS < 5
    late = []
    for each in found["requests"]:
        due, written = np.array(each["due_ns"]), np.array(each["written_ns"])
        assert (due[-1] - each["arrived_ns"]) / NS == pytest.approx(0.06 + 9 * 0.02, abs=1e-6)
        assert np.all(written >= due)
        assert not np.any((written > start) & (written < end))
        is_held = (due > start) & (due < end)
        late += list((written - due)[~is_held] / NS)
    assert np.median(late) < 0.25


def test_chunks_carry_as_many_tokens_as_drawn_and_writes_as_many_events() -> None:
    law = Law(ttft_ms=1, tpot_ms=0.5, output="40", tokens_per_chunk=(2, 5), events_per_write=4, pieces=5)
    with double_thread(law) as double:
        found = chat(double, "bundled 🙂", stream_options=USAGE | {"continuous_usage_stats": True})
    counts = [each["usage"]["completion_tokens"] for each in found.chunks]
    steps = np.diff([each for each in counts if each])
    assert counts[-1] == 40
    assert set(steps[:-3]) <= {2, 3, 4, 5}
    assert len(set(steps[:-3])) > 2


@pytest.mark.parametrize(("output", "count"), [("12", 12), ("request", 9), ("lognormal:30", 30)])
def test_the_number_of_tokens_is_the_laws_or_the_requests(output, count) -> None:
    with double_thread(Law(ttft_ms=1, tpot_ms=0, output=output)) as double:
        limit = {"max_tokens": 9} if output == "request" else {}
        assert chat(double, "x", stream_options=USAGE, **limit).usage["completion_tokens"] == count


def test_drawn_lengths_follow_their_law() -> None:
    law = Law(output="lognormal:200,0.8")
    drawn = np.log([law.output_tokens({}, has=1, chance=law.chance(str(n))) for n in range(4_000)])
    assert (drawn.mean(), drawn.std()) == pytest.approx((np.log(200), 0.8), abs=0.04)


def test_the_end_of_the_sequence_may_be_counted_and_takes_its_time() -> None:
    with double_thread(
        Law(ttft_ms=1, tpot_ms=50, counts_end=True, role_first=False), answer=lambda _: "one two"
    ) as double:
        found = chat(double, "x", stream_options=USAGE)
        assert (found.joined(), found.usage["completion_tokens"], found.finish) == ("one two", 3, ["stop"])
        record = double.records()["requests"][-1]
        assert (record["ended_ns"] - record["due_ns"][-1]) / NS >= 0.05
        cut = chat(double, "x", stream_options=USAGE, max_tokens=1)
        assert (cut.usage["completion_tokens"], cut.finish) == (1, ["length"])


def test_reasoning_is_part_of_the_output() -> None:
    with double_thread(Law(ttft_ms=1, tpot_ms=0, reasoning_tokens=5, output="8")) as double:
        usage = chat(double, "x", stream_options=USAGE).usage
        assert usage["completion_tokens"] == 8
        assert usage["completion_tokens_details"] == {"reasoning_tokens": 5}
        short = chat(double, "x", stream_options=USAGE, max_tokens=3)
        assert (short.usage["completion_tokens_details"], short.joined()) == ({"reasoning_tokens": 3}, "")


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"ttft_ms": -1}, "zero or more"),
        ({"freeze": (1, float("nan"))}, "zero or more"),
        ({"tokens_per_chunk": (3, 2)}, "counted from 1"),
        ({"every": 0}, "counted from 1"),
        ({"slots": -1}, "zero or more"),
        ({"context_tokens": 0}, "one token"),
        *(({"output": text}, "State output tokens") for text in ("many", "0", "nan", "lognormal:1,9", "lognormal:,")),
    ],
)
def test_a_law_that_is_none_is_refused(fields, match) -> None:
    with pytest.raises(Invalid, match=match):
        Law(**fields)


def test_a_law_says_itself_in_a_sentence() -> None:
    assert Law(slots=2).words() == (
        "first token after 50 ms, one each 10 ms, output tokens by answer, 2 requests at once"
    )


def test_the_timers_of_the_loop_are_on_time() -> None:
    from examples.support_assistant.double.clock import precise_loop

    async def lateness() -> list[float]:
        loop, found = asyncio.get_running_loop(), []
        for number in range(40):
            due = loop.time() + 0.0012 + number * 1e-5
            await asyncio.sleep(due - loop.time())
            found.append(loop.time() - due)
        return found

    # A busy machine delays timers as well. One round on time is enough: epoll's own timeout has none.
    for _ in range(20):
        with asyncio.Runner(loop_factory=precise_loop) as runner:
            late = runner.run(lateness())
        assert min(late) > -1e-4
        if np.quantile(late, 0.25) < 4e-4:
            return
    pytest.fail("no round of timers was on time")
