"""The generator: real processes against a real server, stopped, killed, and refused."""

import contextlib
import dataclasses
import errno
import os
import socket
import threading
import time

import pytest

from tests.unit.toolkit.load.servers import OK, pinned
from weighbridge.load.generator import generator
from weighbridge.load.generator.generator import (
    GeneratorFailed,
    GeneratorProcesses,
    Shard,
    generate_load,
    merge_counters,
)
from weighbridge.load.plan import Arrivals, LoadCaps, LoadPlan

pytestmark = pytest.mark.slow

PLAN = LoadPlan(
    url="http://localhost/", rate_per_s=200, duration_s=1.0, arrivals=Arrivals.CONSTANT, processes=2, timeout_s=5
)


class Server:
    """Answers in threads, so that the generator's processes and this one do not share a loop, and counts."""

    def __init__(self):
        self.answered = 0
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._accept)
        self._thread.start()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _accept(self):
        while True:
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line):
        with line, contextlib.suppress(ConnectionError):
            while message := line.recv(65_536):
                requests = message.count(b"\r\n\r\n")
                self.answered += requests
                line.sendall(OK * requests)


@pytest.fixture
def server():
    running = Server()
    yield running
    running.close()


@pytest.fixture
def port(server):
    return server.port


def run(port, folder, *, plan=PLAN, share=None, on_progress=lambda *_: None, should_stop=lambda: False, **more):
    return generate_load(
        plan,
        pinned(port),
        share=share or Shard(mine=range(plan.processes), of=plan.processes),
        caps=LoadCaps(answer_bytes=10_000),
        folder=folder,
        on_progress=on_progress,
        should_stop=should_stop,
        **more,
    )


def test_two_processes_send_the_whole_plan_between_them(port, tmp_path):
    told = []
    fired = run(port, tmp_path, on_progress=lambda share, doing: told.append((share, doing)))
    assert (len(fired.samples.outcome), int(fired.samples.answered.sum())) == (200, 200)
    assert (fired.samples.scheduled_ns // 5_000_000).tolist() == list(range(200))
    assert (fired.is_stopped, fired.lost_processes, fired.complaints) == (False, 0, {})
    assert fired.opened == 64
    assert 0 < fired.processor_share < 1 > fired.cpu_s > 0
    assert merge_counters([fired.counters()]) == fired.counters()
    assert (fired.peak, fired.pool_limits, fired.crowding) == (64, (), 2 / len(os.sched_getaffinity(0)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert (told[0], told[-1][0] > 0.5) == ((0.0, "opening connections"), True)


def test_a_part_of_the_plan_starts_at_the_common_time(port, tmp_path):
    starts_at_s = time.time() + 4.0
    begun_s = time.monotonic()
    fired = run(port, tmp_path, share=Shard(mine=[1, 3], of=4), starts_at_s=starts_at_s)
    assert time.monotonic() - begun_s > 4.8
    assert (fired.samples.scheduled_ns // 5_000_000).tolist() == [n for n in range(200) if n % 2]


def test_a_stop_ends_the_processes_within_a_second_and_keeps_what_they_have(port, tmp_path):
    plan = dataclasses.replace(PLAN, duration_s=60.0)
    stopped_s = []

    def should_stop():
        if not stopped_s and seen and seen[-1] > 0.5 / 60:
            stopped_s.append(time.monotonic())
        return bool(stopped_s)

    seen = []
    fired = run(port, tmp_path, plan=plan, on_progress=lambda share, _: seen.append(share), should_stop=should_stop)
    assert time.monotonic() - stopped_s[0] < 5  # a second on a calm machine
    assert fired.is_stopped
    assert 50 < fired.samples.settled.sum() < 11_000


def test_a_stop_before_the_start_measured_nothing(port, tmp_path):
    with pytest.raises(GeneratorFailed, match="stopped before it started"):
        run(port, tmp_path, should_stop=lambda: True)


def test_an_unreachable_target_is_refused_in_the_words_of_the_child(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(GeneratorFailed, match="is the server running") as refused:
        run(port, tmp_path)
    assert (refused.value.code, refused.value.field) == ("unreachable", "url")


def test_samples_that_found_no_room_are_taken_from_the_message(port, tmp_path):
    fired = run(port, tmp_path / "none")
    assert int(fired.samples.answered.sum()) == 200


def test_a_process_that_cannot_start_is_a_sentence(port, tmp_path, monkeypatch):
    start, started = generator.start, []

    def limited(samples):
        if started:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        started.append(start(samples))
        return started[0]

    monkeypatch.setattr(generator, "start", limited)
    with pytest.raises(GeneratorFailed, match=r"Process 2 of 2 .* cannot start: Too many open files\. Use fewer"):
        run(port, tmp_path)
    assert started[0].process.returncode == -9


def test_counters_of_parts_are_merged():
    first = {"opened": 1, "peak": 2, "streamed": 0, "streams": 9, "cpu_s": 0.5, "processor_share": 0.2, "crowding": 0.5}
    first |= {"reading_s": 0.25}
    second = {
        "opened": 3,
        "peak": 4,
        "streamed": 5,
        "streams": 8,
        "cpu_s": 0.25,
        "processor_share": 0.1,
        "crowding": 2.0,
        "reading_s": 0.5,
    }
    merged = merge_counters(
        [
            first | {"pool_limits": ["files"], "complaints": {"lost": "first"}},
            second | {"pool_limits": ["cap", "files"], "complaints": {"lost": "second", "garbage": "x"}},
        ]
    )
    assert merged == {
        "opened": 4,
        "peak": 6,
        "streamed": 5,
        "streams": 8,
        "cpu_s": 0.75,
        "reading_s": 0.75,
        "processor_share": 0.2,
        "crowding": 2.0,
        "pool_limits": ("cap", "files"),
        "complaints": {"lost": "first", "garbage": "x"},
    }


def test_a_process_that_dies_is_told_and_the_other_goes_on(port, tmp_path):
    crews = []

    class Watched(GeneratorProcesses):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            crews.append(self)

    def kill(share, _):
        if share > 0.2:
            crews[0].children[0].process.kill()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generator, "GeneratorProcesses", Watched)
        fired = run(port, tmp_path, on_progress=kill)
    assert (fired.lost_processes, len(fired.samples.outcome)) == (1, 100)


def test_processes_that_all_die_measured_nothing(port, tmp_path, monkeypatch):
    monkeypatch.setattr(generator, "PROGRAM", ("/bin/true",))
    with pytest.raises(GeneratorFailed, match="ended without a result"):
        run(port, tmp_path)


def test_processes_that_never_get_ready_are_given_up(port, tmp_path, monkeypatch):
    monkeypatch.setattr(generator, "PROGRAM", ("/bin/sleep", "60"))
    monkeypatch.setattr(generator, "READY_WITHIN_S", 0.2)
    monkeypatch.setattr(generator, "STOP_WITHIN_S", 0.2)
    begun_s = time.monotonic()
    with pytest.raises(GeneratorFailed):
        run(port, tmp_path)
    assert time.monotonic() - begun_s < 10


def test_whatever_a_callback_raises_leaves_no_process_behind(port, tmp_path):
    crews = []

    def fail(*_):
        raise ZeroDivisionError

    with pytest.MonkeyPatch.context() as patch:
        end = GeneratorProcesses.end
        patch.setattr(GeneratorProcesses, "end", lambda crew: (crews.append(crew), end(crew)))
        with pytest.raises(ZeroDivisionError):
            run(port, tmp_path, on_progress=fail)
    assert [child.process.returncode for child in crews[0].children] == [-9, -9]
