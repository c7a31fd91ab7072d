"""`weighbridge worker`: what it needs before it takes a run, and how it ends."""

import signal

import pytest

from tests.unit.toolkit.cli.test_cli import weighbridge
from weighbridge.client.worker import program
from weighbridge.core import attestation
from weighbridge.systems.sandbox import bubblewrap

SELF = ("GET", "/base/api/v1/worker/")


@pytest.fixture
def key_pem():
    return attestation.new_key_pem()


@pytest.fixture
def folder(tmp_path, key_pem, monkeypatch):
    """Key and token of a worker; the handlers of signals as they were before."""
    (tmp_path / "key.pem").write_text(key_pem)
    (tmp_path / "token").write_text("t0ken\n")
    kept = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    monkeypatch.setattr(bubblewrap, "layers_here", lambda: bubblewrap.Layers(bubblewrap="/usr/bin/bwrap"))
    yield tmp_path
    for number, handler in kept.items():
        signal.signal(number, handler)


@pytest.fixture
def call(desk, folder, key_pem):
    desk.answers[SELF] = (200, {"name": "rack-7", "queue": "cpu", "key_id": id_of(key_pem)})

    def call(*options, server=desk.server.url + "/"):
        files = ("--token-file", str(folder / "token"), "--key", str(folder / "key.pem"))
        return weighbridge("worker", *files, "--server", server, "--folder", str(folder / "cache"), *options)

    return call


def id_of(key_pem):
    return attestation.key_id(attestation.public_pem(key_pem))


def test_a_worker_takes_runs_until_it_is_stopped(call, desk, folder, monkeypatch):
    seen = []

    def work(self, *, is_once):
        seen.append((is_once, self.cache.folder, self.cache.bytes_max, self.link.server.allows_plain))
        signal.raise_signal(signal.SIGTERM)
        assert self._is_stopping.is_set()

    monkeypatch.setattr(program.BenchmarkWorker, "work", work)
    done = call("--queue", "cpu", "--cache-mb", "5", "--once")
    assert (done.exit_code, done.output) == (0, "rack-7 takes runs of the queue cpu.\n")
    assert seen == [(True, folder / "cache", 5_000_000, False)]
    assert desk.asked[0][2]["Authorization"] == "Token t0ken"


def test_another_key_and_another_queue_are_refused(call, desk, key_pem):
    done = call("--queue", "gpu")
    assert (done.exit_code, "for the queue cpu, not gpu" in done.output) == (1, True)
    desk.answers[SELF] = (200, {"name": "rack-7", "queue": "cpu", "key_id": "sha256:other"})
    done = call()
    assert (done.exit_code, f"This one is {id_of(key_pem)}" in done.output) == (1, True)


@pytest.mark.parametrize(("status", "code"), [(403, 1), (500, 2)])
def test_a_refusal_of_the_server_is_said(call, desk, status, code):
    desk.answers[SELF] = (status, {"detail": "Ask a platform lead."})
    done = call()
    assert (done.exit_code, "Ask a platform lead" in done.output) == (code, True)


def test_another_machine_needs_tls_or_a_choice(call, monkeypatch):
    done = call(server="http://192.0.2.1:9")
    assert (done.exit_code, "use https" in done.output) == (2, True)
    monkeypatch.setattr("socket.create_connection", lambda *_, **__: pytest.fail("reached"))
    with pytest.raises(pytest.fail.Exception, match="reached"):
        raise call("--plain-http", server="http://192.0.2.1:9").exception


def test_a_worker_without_bubblewrap_does_not_start(call, monkeypatch):
    monkeypatch.setattr(bubblewrap, "layers_here", lambda: bubblewrap.NO_LAYERS)
    done = call()
    assert (done.exit_code, "bubblewrap is missing" in done.output) == (2, True)
    monkeypatch.setattr(program.BenchmarkWorker, "work", lambda self, *, is_once: None)
    assert call("--without-bubblewrap").exit_code == 0


def test_files_that_are_missing_or_empty(call, folder):
    (folder / "token").write_text("\n")
    assert "a token in the file of --token-file" in call().output
    (folder / "token").unlink()
    done = call()
    assert (done.exit_code, "cannot be read: No such file" in done.output) == (2, True)
    (folder / "token").write_bytes(b"\xff\xfe")
    assert "it is not text" in call().output
    (folder / "token").write_text("t0ken")
    (folder / "key.pem").write_text("none")
    assert "is not an unencrypted private key" in call().output
