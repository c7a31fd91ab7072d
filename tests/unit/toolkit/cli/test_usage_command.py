"""`weighbridge usage report`: what it reads, what it sends, and its exit codes."""

import json

import pytest

from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.client.usage.test_exports import EXPECTED, PLAIN, SPEND_LOGS

PATH = "/base/api/v1/usage/reports/"
PLACE = ("--gateway", "litellm-eu", "--env", "prod")


@pytest.fixture
def logs(tmp_path):
    file = tmp_path / "spend.json"
    file.write_text(json.dumps(SPEND_LOGS))
    return file


def env_of(desk):
    return {"WEIGHBRIDGE_URL": desk.server.url, "WEIGHBRIDGE_TOKEN": "t0ken"}


def test_logs_are_sent_by_day_and_model(desk, logs):
    desk.answers[("POST", PATH)] = (201, {"unmatched": 1})
    done = weighbridge("usage", "report", logs, *PLACE, env=env_of(desk))
    assert (done.exit_code, done.stdout) == (0, "2 lines of 2 days; 1 of no authorized model\n")
    sent = json.loads(desk.asked[0][3])
    assert (sent["gateway"], sent["environment"]) == ("litellm-eu", "prod")
    assert sent["lines"] == [line.as_document() for line in EXPECTED]


def test_a_report_is_written_and_not_sent(desk, tmp_path):
    (tmp_path / "usage.csv").write_text("\ufeff" + PLAIN)
    done = weighbridge("usage", "report", tmp_path / "usage.csv", *PLACE, "--json", "-")
    assert (done.exit_code, desk.asked) == (0, [])
    assert json.loads(done.stdout)["lines"][0]["usd"] == "0.00166"


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [("none.csv", None, PLACE), ("a.json", "{", PLACE), ("a.csv", PLAIN, ("--gateway", " ", "--env", "prod"))],
)
def test_bad_input_sends_nothing(desk, tmp_path, name, content, place):
    if content is not None:
        (tmp_path / name).write_text(content)
    done = weighbridge("usage", "report", tmp_path / name, *place, env=env_of(desk))
    assert (done.exit_code, desk.asked) == (2, [])


@pytest.mark.parametrize(("status", "code"), [(403, 1), (500, 2)])
def test_a_refusal_and_a_failure_are_told_apart(desk, logs, status, code):
    desk.answers[("POST", PATH)] = (status, {"errors": [{"reason": "No."}]})
    assert weighbridge("usage", "report", logs, *PLACE, env=env_of(desk)).exit_code == code
