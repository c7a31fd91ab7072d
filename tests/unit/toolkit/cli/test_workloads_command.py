"""`weighbridge workloads report`: what it reads, what it sends, and its exit codes."""

import json
import os
from datetime import UTC, datetime

import pytest

from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.client.workloads.test_kubernetes import pod

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
PATH = "/base/api/v1/workloads/reports/"
PLACE = ("--cluster", "gpu-1", "--env", "prod")


@pytest.fixture(autouse=True)
def _clock(monkeypatch):
    monkeypatch.setattr("time.time", NOW.timestamp)


@pytest.fixture
def pods(tmp_path):
    file = tmp_path / "pods.json"
    file.write_text(json.dumps({"kind": "List", "items": [pod()]}))
    os.utime(file, (NOW.timestamp() - 60, NOW.timestamp() - 60))
    return file


def env_of(desk):
    return {"WEIGHBRIDGE_URL": desk.server.url, "WEIGHBRIDGE_TOKEN": "t0ken"}


def test_pods_are_sent_with_the_time_of_their_file(desk, pods):
    desk.answers[("POST", PATH)] = (201, {"counts": {"denied": 0, "unknown": 1}})
    done = weighbridge("workloads", "report", pods, *PLACE, env=env_of(desk))
    assert (done.exit_code, done.stdout) == (0, "1 workloads: 0 denied, 1 unknown\n")
    sent = json.loads(desk.asked[0][3])
    assert (sent["cluster"], sent["environment"], sent["observed_at"]) == ("gpu-1", "prod", "2026-11-01T11:59:00Z")
    assert [each["name"] for each in sent["workloads"]] == ["ranker"]


def test_a_file_from_the_future_was_observed_now(desk, pods):
    os.utime(pods, (NOW.timestamp() + 900, NOW.timestamp() + 900))
    done = weighbridge("workloads", "report", pods, *PLACE, "--json", "-")
    assert json.loads(done.stdout)["observed_at"] == "2026-11-01T12:00:00Z"


@pytest.mark.parametrize(
    ("name", "text"), [("list.csv", "name,replicas\nranker,1\n"), ("list.json", '[{"name": "ranker"}]')]
)
def test_plain_lists_are_read(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    done = weighbridge("workloads", "report", tmp_path / name, *PLACE, "--json", tmp_path / "out.json")
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "out.json").read_text())["workloads"] == [{"name": "ranker", "replicas": 1}]


def test_standard_input_is_read(monkeypatch, pods):
    from typer.testing import CliRunner

    from weighbridge.cli import app as cli

    arguments = ["workloads", "report", "-", *PLACE, "--json", "-"]
    done = CliRunner().invoke(cli.app, arguments, input=pods.read_bytes())
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["observed_at"] == "2026-11-01T12:00:00Z"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.json", b"{}", "neither a list of pods nor a list of workloads"),
        ("a.json", b"{", "not valid JSON"),
        ("a.csv", b"name\n\xff\n", "not text in UTF-8"),
        ("a.csv", b"name\na\na\n", "occurs twice"),
        ("none", None, "cannot be read"),
    ],
)
def test_bad_input_is_code_2(desk, tmp_path, name, content, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = weighbridge("workloads", "report", tmp_path / name, *PLACE, env=env_of(desk))
    assert done.exit_code == 2
    assert words in done.stderr
    assert desk.asked == []


@pytest.mark.parametrize(("status", "code"), [(403, 1), (409, 1), (500, 2)])
def test_a_refusal_and_an_outage_have_codes_of_their_own(desk, pods, status, code):
    desk.answers[("POST", PATH)] = (status, {"detail": "A later report is stored."})
    done = weighbridge("workloads", "report", pods, *PLACE, env=env_of(desk))
    assert done.exit_code == code
    assert "A later report is stored." in done.stderr


def test_an_answer_without_counts_is_no_error(desk, pods):
    desk.answers[("POST", PATH)] = (201, {"counts": 3})
    done = weighbridge("workloads", "report", pods, *PLACE, env=env_of(desk))
    assert (done.exit_code, done.stdout) == (0, "1 workloads: none\n")
