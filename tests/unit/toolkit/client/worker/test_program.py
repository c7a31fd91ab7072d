"""The program of a worker with a link that fails on purpose."""

import threading
import types
from datetime import UTC, datetime

import pytest

from tests.unit.toolkit.client.worker.test_parts import ORDER, A
from weighbridge.client.server import ServerRefused
from weighbridge.client.worker import program
from weighbridge.client.worker.cache import FileCache
from weighbridge.client.worker.lease import HeldLease
from weighbridge.client.worker.link import WorkerIdentity
from weighbridge.client.worker.program import BenchmarkWorker
from weighbridge.core import attestation
from weighbridge.systems.sandbox.process import RunCanceled, RunFailed

NOW = datetime(2026, 7, 1, tzinfo=UTC)
SILENT, LOST = ServerRefused("It does not answer."), ServerRefused("The lease is lost.", http_status=409)


class Link:
    """Gives out one order, and then raises what is planned for each call, or does nothing."""

    def __init__(self, **plans):
        self.plans, self.asked, self.orders, self.is_waiting = plans, [], [ORDER], lambda: True

    def _call(self, name, *details):
        self.asked.append((name, *details))
        plan = self.plans.get(name, [])
        if plan and (error := plan.pop(0)) is not None:
            raise error

    def identify(self):
        return WorkerIdentity(name="rack-7", queue="cpu", key_id=A, is_run_waiting=self.is_waiting())

    def claim(self, *, at, key):
        self._call("claim", key)
        return self.orders.pop() if self.orders else None

    def renew(self, order, *, progress, phase):
        self._call("renew")

    def download(self, order, digest, target, *, should_stop):
        assert not should_stop()
        self._call("download", digest)
        target.write_bytes(b"other bytes")

    def finish(self, order, *, file, envelope):
        self._call("finish")

    def fail(self, order, *, reason):
        self._call("fail", reason)

    def hand_back(self, order, *, reason, is_stopped):
        self._call("hand_back", reason, is_stopped)


@pytest.fixture
def worker(tmp_path, monkeypatch):
    """A worker whose model is measured at once."""
    monkeypatch.setattr(program, "wait_s", lambda failures, *, chance: 0.001)
    monkeypatch.setattr(program, "execute", lambda *_, **__: {"a": 1})
    made = []

    def worker(**plans):
        cache, said = FileCache(tmp_path / "cache", bytes_max=100), []
        link = Link(**plans)
        made.append(cache)
        key_pem = attestation.new_key_pem()
        worker = BenchmarkWorker(link, key_pem=key_pem, cache=cache, clock=lambda: NOW, say=said.append, idle_s=0.001)
        worker.said = said
        return worker

    yield worker
    for cache in made:
        cache.close()


def asked(worker, *without):
    return [call for call in worker.link.asked if call[0] not in {"renew", "claim", *without}]


def fetching(worker, monkeypatch):
    """The measurement fetches its model and nothing else."""

    def execute(measured, *, fetch, folder, **_):
        fetch(A, folder / "model")
        return {}

    monkeypatch.setattr(program, "execute", execute)


def test_one_run_and_no_more(worker):
    once = worker()
    once.work(is_once=True)
    assert asked(once) == [("finish",)]
    assert once.said == ["run 4 (r): measuring", "run 4: done"]
    assert list(once.cache.folder.glob("run-*")) == []


def test_a_claim_is_sent_again_unchanged_until_it_is_answered(worker):
    slow = worker(claim=[SILENT, SILENT, ServerRefused("Busy.", http_status=503), None])
    slow.work(is_once=True)
    keys = [key for name, *rest in slow.link.asked if name == "claim" for key in rest]
    assert (len(keys), len(set(keys)), keys[0] == keys[2], keys[2] == keys[3]) == (4, 2, True, False)


def test_a_worker_claims_only_while_a_run_waits(worker):
    idle, answers = worker(), [False, False, True]
    idle.link.is_waiting = lambda: answers.pop(0)
    idle.work(is_once=True)
    assert [name for name, *_ in idle.link.asked if name != "renew"] == ["claim", "finish"]
    assert answers == []


def test_a_post_is_sent_again_until_it_is_answered(worker):
    slow = worker(finish=[SILENT, ServerRefused("Busy.", http_status=503), None])
    slow.work(is_once=True)
    assert asked(slow) == [("finish",)] * 3
    assert slow.said[-1] == "run 4: done"


def test_a_stop_while_a_post_is_not_answered_gives_the_run_back(worker):
    stopped = worker(finish=[SILENT])
    stopped._pause = lambda _: stopped.stop()
    stopped.work()
    assert asked(stopped) == [("finish",), ("hand_back", program.STOPPED, True)]
    assert stopped.said[-1] == "run 4: given back"


@pytest.mark.parametrize("answer", [LOST, SILENT])
def test_a_stopped_worker_asks_no_more_than_three_times(worker, answer):
    stopped = worker(finish=[SILENT], hand_back=[answer] * 9)
    stopped._pause = lambda _: stopped.stop()
    stopped.work()
    assert len(asked(stopped, "finish")) == (1 if answer is LOST else 3)


def test_nothing_is_delivered_once_the_lease_is_lost(worker):
    lost = types.SimpleNamespace(is_held=False)
    with pytest.raises(RunCanceled, match="the lease was lost"):
        worker()._deliver(lost, lambda: pytest.fail("It was delivered."))


def test_a_refused_file_is_fetched_anew_by_the_next(worker, monkeypatch):
    refused = worker(download=[LOST])
    fetching(refused, monkeypatch)
    refused.cache.partial(A).write_bytes(b"x")
    refused.work(is_once=True)
    assert asked(refused, "download") == [("hand_back", "The lease is lost.", False)]
    assert not refused.cache.partial(A).exists()


def test_a_full_disk_is_not_the_fault_of_the_model(worker, monkeypatch):
    full = worker(download=[OSError(28, "No space left on device")])
    fetching(full, monkeypatch)
    full.work(is_once=True)
    words = "A file cannot be kept on this machine: No space left on device."
    assert asked(full, "download") == [("hand_back", words, False)]


def test_other_bytes_than_asked_for_are_not_the_fault_of_the_model(worker, monkeypatch):
    lied = worker()
    fetching(lied, monkeypatch)
    lied.work(is_once=True)
    ((_, words, is_stopped),) = asked(lied, "download")
    assert (f"instead of {A}" in words, is_stopped) == (True, False)


def test_a_run_that_was_lost_is_left(worker, monkeypatch):
    lost = worker(fail=[LOST])
    monkeypatch.setattr(program, "execute", lambda *_, **__: (_ for _ in ()).throw(RunFailed("It crashed.")))
    lost.work(is_once=True)
    assert asked(lost) == [("fail", "It crashed.")]
    assert lost.said[-1] == "run 4: left, The lease is lost."


@pytest.mark.parametrize("status", [401, 403, 404])
def test_whoever_is_no_worker_ends(worker, status):
    stranger = worker(claim=[ServerRefused("You are none.", http_status=status)])
    with pytest.raises(ServerRefused, match="You are none"):
        stranger.work()


def test_a_lease_is_lost_once_the_server_says_so_or_is_silent():
    link, told = Link(renew=[SILENT, LOST]), threading.Event()
    clock = [0.0]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("weighbridge.client.worker.lease.time.monotonic", lambda: clock[0])
        patched.setattr("weighbridge.client.worker.lease.wait_s", lambda failures, *, chance: told.set() or 0.001)
        with HeldLease(link, ORDER, taken_at_s=0.0) as lease:
            lease._renewal.join(10)
        assert (lease.is_held, lease.reason) == (False, "The lease is lost.")
        silent = HeldLease(Link(), ORDER, taken_at_s=0.0)
        assert silent.is_held
        clock[0] = ORDER.lease_s + 0.1
        assert not silent.is_held
        assert silent.reason == "The server did not answer for as long as the lease lasts."
        silent.progress(7.0, "x" * 500)
        assert silent._seen == (1.0, "x" * 120)
