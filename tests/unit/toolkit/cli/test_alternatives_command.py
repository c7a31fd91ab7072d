"""`weighbridge answers alternatives`: the table, the document, signing it, and the exit codes."""

import base64
import json

import pytest
import yaml

from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.optimization.language.builders import SMALL, plan_document, write_answers, write_prompts
from weighbridge.api.choosing import pareto
from weighbridge.core import attestation

N = 400
BATCH = {"name": "batch", "kind": "batch_tier"}
ON = ("--on", "2026-11-20", "--draws", "1000")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_prompts(tmp_path, N)
    write_answers(tmp_path, "large", [place % 10 != 0 for place in range(N)])
    write_answers(tmp_path, "small", [place % 10 != 0 and place % 100 != 1 for place in range(N)])
    return tmp_path


def write_plan(folder, *alternatives, **changes):
    path = folder / "plan.yaml"
    path.write_text(yaml.safe_dump(plan_document(*alternatives, **changes)))
    return path


def test_alternatives_are_compared_and_written(folder):
    done = weighbridge("answers", "alternatives", write_plan(folder, SMALL, BATCH), *ON, "--json", "r.json")
    assert (done.exit_code, done.stderr) == (0, "")
    document = json.loads((folder / "r.json").read_text())
    assert document["schema"] == "weighbridge.candidates/1"
    assert document["prompts"]["file"] == "prompts.jsonl"
    assert (document["answers"]["file"], set(document["answer_files"])) == ("large.jsonl", {"small"})
    assert "equivalent and cheaper" in done.stdout
    assert "verdict: valid" in done.stdout
    assert "Take small: an accepted answer costs 0.00244 USD less." in done.stdout
    assert len(pareto(document, axis=("pass_rate", "cost_per_accepted_usd")).document["standings"]) == 3


def test_alternatives_that_may_save_as_much_are_named_and_none_is_said(folder):
    plan = write_plan(folder, SMALL, SMALL | {"name": "twin"})
    done = weighbridge("answers", "alternatives", plan, *ON)
    assert "Possibly as cheap: twin." in done.stdout
    write_answers(folder, "small", [False] * N)
    done = weighbridge("answers", "alternatives", write_plan(folder, SMALL), *ON)
    assert "No alternative is shown to be as good and cheaper: keep large." in done.stdout


def test_conditions_hold_on_candidates_and_no_evidence_exits_1(folder):
    plan = write_plan(folder, SMALL)
    condition = ("--fail-if", "small:cost_per_accepted_usd.upper > 0.0001")
    assert weighbridge("answers", "alternatives", plan, *ON, *condition).exit_code == 1
    assert weighbridge("answers", "alternatives", write_plan(folder, BATCH), *ON).exit_code == 1
    assert weighbridge("answers", "alternatives", folder / "none.yaml", *ON).exit_code == 2
    refused = weighbridge("answers", "alternatives", write_plan(folder, SMALL | {"model": "openai/gpt-0"}), *ON)
    assert (refused.exit_code, "openai/gpt-0" in refused.stderr) == (2, True)


def test_the_document_is_signed_with_its_alternatives(folder):
    weighbridge("answers", "alternatives", write_plan(folder, SMALL), *ON, "--json", "r.json")
    document = json.loads((folder / "r.json").read_text())
    (folder / "key.pem").write_text(attestation.new_key_pem())
    plan = {"request": "MRR-1", "subject": f"sha256:{'a' * 64}", "data": document["prompts"]["digest"]}
    (folder / "p.json").write_text(json.dumps(plan))
    times = ("--started-at", "2026-11-20T10:00:00Z", "--finished-at", "2026-11-20T11:00:00Z")
    place = ("--plan", "p.json", "--key", "key.pem", "--out", "signed.json", *times)
    done = weighbridge("result", "attest", "r.json", *place)
    assert (done.exit_code, done.stdout) == (0, "signed: alternatives_measured; valid\n"), done.output
    payload = json.loads(base64.b64decode(json.loads((folder / "signed.json").read_text())["payload"]))
    assert payload["predicate"]["manifest"]["alternatives"] == document
    assert payload["predicate"]["data"] == document["prompts"]["digest"]
    document["candidates"][1]["verdict"]["answer"] = "no_gain"
    (folder / "r.json").write_text(json.dumps(document))
    done = weighbridge("result", "attest", "r.json", *place)
    assert (done.exit_code, "does not follow" in done.stderr) == (2, True)
    assert weighbridge("import", "r.json").exit_code == 0
