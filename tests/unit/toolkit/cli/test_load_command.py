"""`weighbridge load` at the terminal: what it prints, what it leaves, how it stops."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.load.test_generator import port, server  # noqa: F401 -- fixtures
from tests.unit.toolkit.load.test_judgment import calm
from tests.unit.toolkit.load.test_report import fired
from weighbridge.api import documents
from weighbridge.api.load import testing
from weighbridge.api.results import Result
from weighbridge.cli.watching import deferred_interrupts
from weighbridge.core.addresses import PinnedAddress
from weighbridge.load.results import report
from weighbridge.load.results.samples import RequestOutcome, read_samples

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[4]


@pytest.fixture
def planned(monkeypatch):
    """Put calm samples in the place of a run, and return the plans and targets that were asked for."""
    asked = []

    def stand_in(plan, target, **more):
        asked.append((plan, target))
        return fired(calm(failed=3))

    monkeypatch.setattr(report, "generate_load", stand_in)
    return asked


def test_the_command_of_the_page_works(port, tmp_path):  # noqa: F811 -- the fixture imported above
    done = weighbridge(
        "load",
        f"http://127.0.0.1:{port}/predict",
        "--rate",
        1000,
        "--duration",
        "1s",
        "--arrivals",
        "poisson",
        "--json",
        tmp_path / "r.json",
        "--hdr",
        tmp_path / "r.hdr",
    )
    result = json.loads((tmp_path / "r.json").read_text())
    assert done.exit_code == (1 if result["verdict"]["status"] == "invalid" else 0), done.output
    assert f"verdict: {result['verdict']['status']}" in done.stdout
    assert "response time p99" in done.stdout
    assert {
        f"{kind}_{p}_ms" for kind in ("response_time", "service_time") for p in ("p50", "p90", "p95", "p99")
    } <= set(result["metrics"])
    assert "response_time_p999_ms needs 6636 samples" in done.stdout
    n = result["metrics"]["error_rate"]["n"]
    assert 850 < n < 1150
    with (tmp_path / "r.samples.npz").open("rb") as file:
        assert int(read_samples(file).settled.sum()) == n == result["samples"]["n"]
    assert (tmp_path / "r.hdr").read_text().startswith("#")


def test_every_option_reaches_the_plan(planned, tmp_path):
    (tmp_path / "b.jsonl").write_text('{"a": 1}\n')
    (tmp_path / "week.json").write_text(json.dumps([1] * 168))
    done = weighbridge(
        "load",
        "http://10.0.0.7/x",
        "--rate",
        5,
        "--duration",
        "2m",
        "--arrivals",
        "week",
        "--week",
        tmp_path / "week.json",
        "--header",
        "X-A: 1",
        "--header",
        "X-B: 2",
        "--body",
        tmp_path / "b.jsonl",
        "--connections",
        7,
        "--processes",
        2,
        "--timeout",
        "500ms",
        "--expect-status",
        200,
        "--expect-status",
        201,
        "--expect-json-key",
        "a",
        "--expect-body-sha256",
        "0" * 64,
        "--check-every",
        3,
        "--p99-ms",
        20,
        "--seed",
        9,
        "--quiet",
        env={"WEIGHBRIDGE_LOAD_ALLOW": "models.internal=10.0.0.0/8, 10.0.0.7"},
    )
    assert (done.exit_code, done.output) == (0, "")
    ((plan, target),) = planned
    assert target == PinnedAddress("http", "10.0.0.7", 80, "10.0.0.7", "/x")
    assert (plan.method, plan.duration_s, plan.timeout_s, plan.connections, plan.processes) == (
        "POST",
        120.0,
        0.5,
        7,
        2,
    )
    assert (plan.headers, plan.seed, plan.p99_limit_ms) == ((("X-A", "1"), ("X-B", "2")), 9, 20.0)
    assert (plan.expect.statuses, plan.expect.json_key, plan.expect.every) == ((200, 201), "a", 3)


def test_a_ramp_begins_at_its_own_rate(planned):
    weighbridge("load", "http://127.0.0.1/", "--rate", 5, "--arrivals", "ramp", "--start-rate", 1, "--quiet")
    ((plan, _),) = planned
    assert (plan.rate_per_s, plan.start_rate_per_s) == (5.0, 1.0)


def test_failures_are_shown(planned):
    done = weighbridge("load", "http://localhost:1/", "--rate", 5, "--method", "delete")
    assert planned[0][0].method == "DELETE"
    assert "failed: 3 lost, first: it was cut\n" in done.stdout
    assert "DELETE http://localhost:1/ at 127.0.0.1 over HTTP/1.1: 5/s, poisson, 60 s" in done.stdout.replace(
        "\n", " "
    ).replace("  ", " ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("http://example.org/", "--rate", 1), "--allow HOST"),
        (("http://127.0.0.1/", "--rate", 1, "--duration", "soon"), "Write a duration"),
        (("http://127.0.0.1/", "--rate", 1, "--arrivals", "often"), "Arrivals must be one of"),
        (("http://127.0.0.1/", "--rate", 60_000), "at most 50,000"),
        (("http://127.0.0.1/", "--rate", 0), "positive number"),
        (("http://127.0.0.1/", "--rate", 1, "--allow", "a=b"), "is not a network"),
        (("http://127.0.0.1/", "--rate", 1, "--body", "none.json"), "cannot be read"),
        (("http://127.0.0.1:1/", "--rate", 90, "--duration", "1s"), "is the server running?"),
    ],
)
def test_what_cannot_be_done_is_a_sentence_and_exit_code_two(arguments, words):
    done = weighbridge("load", *arguments, "--quiet")
    assert done.exit_code == 2
    assert words in done.stderr
    assert done.stdout == ""


def test_results_that_cannot_be_written_are_told(planned, tmp_path):
    for option, blocked, given in (
        ("--json", "r.json", "r.json"),
        ("--json", "s.samples.npz", "s.json"),
        ("--hdr", "r.hdr", "r.hdr"),
    ):
        (tmp_path / blocked).mkdir()
        done = weighbridge("load", "http://127.0.0.1/", "--rate", 1, option, tmp_path / given, "--quiet")
        assert (done.exit_code, "cannot be written: Is a directory. Nothing was run" in done.stderr) == (2, True)
    assert planned == []


@pytest.mark.parametrize(
    ("name", "words"), [("r.json", "Two files would be written to"), ("r.samples.npz", "cannot hold two results")]
)
def test_no_result_overwrites_another(planned, tmp_path, name, words):
    files = "--json", tmp_path / "r.json", "--hdr", tmp_path / name
    done = weighbridge("load", "http://127.0.0.1/", "--rate", 1, *files)
    assert (done.exit_code, words in done.stderr, planned) == (2, True, [])


def test_a_disk_that_fills_during_the_test_loses_no_result(planned, tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(documents.os, "fsync", full)
    for options in (("--json", tmp_path / "r.json"), ("--hdr", tmp_path / "r.hdr")):
        done = weighbridge("load", "http://127.0.0.1/", "--rate", 1, *options)
        assert (done.exit_code, "cannot be written: No space left on device." in done.stderr) == (2, True)
        assert "response time p99" in done.stdout
    quiet = weighbridge("load", "http://127.0.0.1/", "--rate", 1, "--json", tmp_path / "r.json", "--quiet")
    assert (quiet.exit_code, "response time p99" in quiet.stdout) == (2, True), "printed, because it is nowhere else"
    assert list(tmp_path.iterdir()) == []


def test_the_document_goes_to_standard_output(planned):
    done = weighbridge("load", "http://127.0.0.1/", "--rate", 1, "--json", "-")
    assert json.loads(done.stdout)["schema"] == "weighbridge.load/1"
    assert "response time p99" in done.stderr
    quiet = weighbridge("load", "http://127.0.0.1/", "--rate", 1, "--json", "-", "--quiet")
    assert (json.loads(quiet.stdout)["is_partial"], quiet.stderr) == (False, "")
    assert not Path("-").exists()
    assert not Path("-.samples.npz").exists()


def test_a_closed_loop_is_named(planned):
    done = weighbridge("load", "http://127.0.0.1/", "--closed", 5, "--think", "2s", "--json", "-")
    ((plan, _),) = planned
    assert (plan.users, plan.think_s, plan.rate_per_s) == (5, 2.0, 0.0)
    assert json.loads(done.stdout)["loop"] == "closed"
    assert "closed loop, 5 users, think time 2 s" in " ".join(done.stderr.split())
    assert "note: A closed loop cannot show overload" in done.stderr
    both = weighbridge("load", "http://127.0.0.1/", "--closed", 5, "--rate", 3)
    assert (both.exit_code, "A closed loop has no rate" in both.stderr) == (2, True)


def test_values_of_a_header_file_are_in_no_result(planned, tmp_path):
    (tmp_path / "h.txt").write_text("Authorization: Bearer sekret-token-77\n")
    files = "--json", tmp_path / "r.json", "--header-file", tmp_path / "h.txt", "--header", "X-A: 1"
    done = weighbridge("load", "http://127.0.0.1/", "--rate", 1, *files)
    assert planned[0][0].headers == (("X-A", "1"), ("Authorization", "Bearer sekret-token-77"))
    written = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.name != "h.txt")
    assert b"sekret" not in written + done.output.encode()
    assert json.loads((tmp_path / "r.json").read_text())["plan"]["headers"] == ["X-A", "Authorization"]
    missing = weighbridge("load", "http://127.0.0.1/", "--header-file", tmp_path / "none")
    assert (missing.exit_code, "The header file" in missing.stderr) == (2, True)


def test_certificates_apply_to_https(planned, tmp_path):
    (tmp_path / "ca.pem").write_text("none")
    for scheme, words in (("http", "--cacert applies to an address"), ("https", "it has no PEM certificates")):
        done = weighbridge("load", f"{scheme}://127.0.0.1/", "--cacert", tmp_path / "ca.pem")
        assert (done.exit_code, words in done.stderr) == (2, True)
    assert planned == []


def test_bodies_that_were_checked_are_shown(monkeypatch):
    def stand_in(plan, target, **more):
        samples = calm()
        samples.outcome[::10] = RequestOutcome.CHECKED
        samples.outcome[0] = RequestOutcome.WRONG_ANSWER
        return fired(samples)

    monkeypatch.setattr(report, "generate_load", stand_in)
    done = weighbridge("load", "http://127.0.0.1/", "--rate", 5, "--expect-json-key", "a")
    assert "bodies: 200 of 2,000 checked, 1 wrong\n" in done.stdout
    assert "Bodies were not checked" not in done.stdout


def result(*, is_partial, status):
    return Result({"is_partial": is_partial, "verdict": {"status": status}}, (), list)


def test_an_invalid_test_is_a_no(monkeypatch):
    monkeypatch.setattr(testing, "_measure", lambda *_, **__: result(is_partial=False, status="invalid"))
    assert weighbridge("load", "http://127.0.0.1/", "--rate", 1).exit_code == 1


def test_a_stopped_test_is_neither_yes_nor_no(monkeypatch):
    monkeypatch.setattr(testing, "_measure", lambda *_, **__: result(is_partial=True, status="valid"))
    done = weighbridge("load", "http://127.0.0.1/", "--rate", 1)
    assert (done.exit_code, "result is partial" in done.stderr) == (130, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_leaves_a_valid_partial_result(server, tmp_path, number):  # noqa: F811 -- the fixture imported above
    result = tmp_path / "r.json"
    command_line = [
        sys.executable,
        "-m",
        "weighbridge",
        "load",
        f"http://127.0.0.1:{server.port}/",
        "--rate",
        "200",
        "--duration",
        "60s",
        "--json",
        str(result),
    ]
    with subprocess.Popen(
        command_line, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        until_s = time.monotonic() + 90
        while server.answered < 200 and time.monotonic() < until_s:
            time.sleep(0.1)
        stopped_s = time.monotonic()
        os.killpg(running.pid, number)  # as a terminal does: the processes of the generator hear it too
        _, complaint = running.communicate(timeout=60)
    took_s = time.monotonic() - stopped_s
    assert running.returncode == 130, complaint
    assert "result is partial" in complaint
    document = json.loads(result.read_text())
    assert document["is_partial"] is True
    assert "samples.stopped_early" in [reason["code"] for reason in document["verdict"]["reasons"]]
    assert document["metrics"]["error_rate"]["n"] > 50
    assert took_s < 20  # with the writing of the result, on a machine that may be busy


def test_a_second_interrupt_is_raised_as_ever():
    ours = signal.signal(signal.SIGINT, signal.default_int_handler)  # a worker of the test run ignores the signal
    with deferred_interrupts() as came:
        assert not came()
        signal.raise_signal(signal.SIGINT)
        assert came()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.signal(signal.SIGINT, ours) is signal.default_int_handler


def test_a_search_at_the_terminal(monkeypatch, tmp_path):
    asked = []

    def stand_in(trials):
        asked.append(trials)
        return {
            "is_partial": False,
            "highest_rate_per_s": None,
            "at_least_per_s": None,
            "at_most_per_s": 2.0,
            "limit_ms": 200.0,
            "reason": "no_pass_in_range",
            "trials": [],
            "notes": [],
            "verdict": {"status": "indicative", "reasons": []},
            "manifest": {"digest": "sha256:ab", "bodies": None},
        }

    monkeypatch.setattr(testing, "search_highest_rate", stand_in)
    arguments = ("load", "http://127.0.0.1/", "--find-max", "--p99-ms", 200)
    done = weighbridge(*arguments, "--json", tmp_path / "s.json")
    assert (done.exit_code, json.loads((tmp_path / "s.json").read_text())["limit_ms"]) == (1, 200.0)
    assert "  at most 2 (0 trials): even the lowest rate in the range missed the limit." in done.stdout
    assert (asked[0].plan.rate_per_s, asked[0].plan.duration_s) == (100.0, 5.0)
    assert weighbridge(*arguments, "--quiet").stdout == ""
    refused = weighbridge(*arguments, "--hdr", tmp_path / "s.hdr")
    assert (refused.exit_code, "no histogram" in refused.stderr) == (2, True)
    assert asked[0].deadline.within_s == 1_800
    assert weighbridge(*arguments, "--within", "90s", "--quiet").exit_code == 1
    assert asked[-1].deadline.within_s == 90
    misplaced = weighbridge("load", "http://127.0.0.1/", "--within", "90s")
    assert (misplaced.exit_code, "--within applies to a search" in misplaced.stderr) == (2, True)


@pytest.mark.parametrize(
    ("reason", "rate", "status", "code", "words"),
    [
        ("out_of_time", None, "invalid", 2, "Allow more time with --within"),
        ("client_limit", None, "invalid", 2, ""),
        ("no_failure_in_range", None, "invalid", 2, ""),
        ("trial_failed", None, "invalid", 2, ""),
        ("stopped", None, "invalid", 130, "the result is partial"),
        ("bracketed", {"value": 9.0, "lower": 8.0, "upper": 9.5, "confidence": 0.95, "n": 3}, "indicative", 0, ""),
        ("cliff", {"value": 9.0, "lower": 8.0, "upper": 9.5, "confidence": 0.95, "n": 3}, "invalid", 1, ""),
    ],
)
def test_every_end_of_a_search_has_its_code(monkeypatch, reason, rate, status, code, words):
    ended = {
        "is_partial": reason in {"out_of_time", "stopped", "trial_failed"},
        "highest_rate_per_s": rate,
        "at_least_per_s": None,
        "at_most_per_s": None,
        "limit_ms": 200.0,
        "reason": reason,
        "trials": [],
        "notes": [],
        "verdict": {"status": status, "reasons": []},
        "manifest": {"digest": "sha256:ab", "bodies": None},
    }
    monkeypatch.setattr(testing, "search_highest_rate", lambda _: ended)
    done = weighbridge("load", "http://127.0.0.1/", "--find-max", "--p99-ms", 200)
    assert (done.exit_code, words in done.stderr) == (code, True)
    assert ("not found" in done.stdout) is (rate is None)
