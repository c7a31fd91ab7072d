"""`weighbridge result attest`: the file of another tool becomes a signed result."""

import json

import pytest

from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.readers.files import SAMPLES
from weighbridge.core import attestation
from weighbridge.core.attested_results import parse_result, plan_digest

PLAN = {"request": "MRR-2026-0001", "subject": f"sha256:{'a' * 64}"}
KEY = attestation.new_key_pem()


@pytest.fixture
def attest(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plan.json").write_text(json.dumps(PLAN))
    (tmp_path / "key.pem").write_text(KEY)
    (tmp_path / "key.pem").chmod(0o600)

    def attest(name, *options):
        place = ("--plan", "plan.json", "--key", "key.pem", "--out", "attested.json")
        return weighbridge("result", "attest", SAMPLES / name, *place, *options)

    return attest


def test_what_the_file_states_is_signed(attest, tmp_path):
    done = attest("inspect.json")
    assert (done.exit_code, done.stdout) == (0, "signed: accuracy; indicative\n"), done.output
    envelope = json.loads((tmp_path / "attested.json").read_text())
    result = parse_result(attestation.verify(envelope, public_key_pem=attestation.public_pem(KEY)))
    assert (result.subject, result.plan) == (PLAN["subject"], plan_digest(PLAN))
    assert [metric.name for metric in result.metrics] == ["accuracy"]


def test_what_is_left_out_is_named(attest):
    done = attest("guidellm_03.json", "--metric", "latency_p95_ms")
    signed, left_out = done.stdout.splitlines()
    assert (done.exit_code, signed) == (0, "signed: latency_p95_ms; indicative")
    assert left_out.startswith("left out: latency_p50_ms, ")


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("lm_eval.json", (), "name one with --part: sums, products, arith"),
        ("lm_eval.json", ("--part", "none"), "name one with --part"),
        ("aiperf_rate.json", (), "does not state started_at"),
        ("mlflow_run.json", (), "name some with --metric"),
        ("inspect.json", ("--started-at", "yesterday"), "yesterday"),
        ("inspect.json", ("--tool", "none"), "none"),
    ],
)
def test_what_cannot_be_signed_leaves_no_file(attest, tmp_path, name, options, words):
    done = attest(name, *options)
    assert (done.exit_code, words in done.stderr) == (2, True), done.output
    assert not (tmp_path / "attested.json").exists()
