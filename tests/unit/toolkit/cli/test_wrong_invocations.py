"""A hundred wrong invocations: each has exit code 2 and a sentence, none has a traceback, and nothing is written."""

import json

import numpy as np
import pytest

from tests.unit.toolkit import builders
from tests.unit.toolkit.cli.test_cli import weighbridge

ARRAYS = {"x": np.zeros((5, 4), np.float32), "y": np.arange(5) % 3}
LOOPBACK = "http://127.0.0.1:9/"
WRONG = """
profile
profile gone.onnx
profile m.onnx n.onnx
profile m.onnx --http http://127.0.0.1:9/v2/models/m
profile text.onnx
profile empty.onnx
profile folder
profile m.pkl
profile gone.skops
profile text.skops
profile text.ubj
profile text.txt
profile m.onnx --data gone.npz
profile m.onnx --data text.npz
profile m.onnx --data text.csv
profile m.onnx --data folder
profile m.onnx --data odd.npz
profile m.onnx --data named.npz
profile m.onnx --data single.npy
profile m.onnx --scenario fast
profile m.onnx --samples 0
profile m.onnx --samples many
profile m.onnx --batch 0 --scenario offline
profile m.onnx --concurrency 0 --scenario offline
profile m.onnx --scenario server --rate 0
profile m.onnx --scenario server --limit-ms -1
profile m.onnx --threads 0
profile m.onnx --wall 0
profile m.onnx --provider quantum
profile m.onnx --provider cuda
profile m.onnx --provider cuda --trust --provider-option device_id=first
sweep m.onnx --provider cuda --provider-option device_id=-1
max-rate m.onnx --p99-ms 5 --provider-option x
rerun none.json --model m.onnx --trust
profile m.onnx --provider-option x
profile m.onnx --optimization most
profile m.onnx --inter-op-threads 0
profile m.onnx --affinity a
profile m.onnx --affinity 99999
profile m.onnx --tdp-w 0
profile m.onnx --shape n,4
profile m.onnx --compile
profile m.onnx --bfloat16
profile --torch nothing --shape n,4
profile --torch os:getcwd
profile --torch os:getcwd --shape n,four,-1
profile --torch no.such:thing --shape n,4
profile --torch os:getcwd --shape a=1 --shape a=2
profile --http 127.0.0.1
profile --http http://127.0.0.1:9/v2/models/m
profile --http http://127.0.0.1:9/ --body gone.json
profile --http http://127.0.0.1:9/ --answer predictions
profile --answer predictions
profile --header-file headers
profile --grpc nowhere
profile --command ''
profile --command true
profile --command /no/such/program --data d.npz
profile --system nothing
profile --system no.such:thing
profile m.onnx --dim n
profile m.onnx --dim n=0
profile m.onnx --dim n=1,2
profile m.onnx --dim gone=5
profile m.onnx --input x
profile m.onnx --input gone=5
profile m.onnx --input x=five
profile m.onnx --state x=gone
profile m.onnx --state gone=y
profile m.onnx --input x=1 --state x=y
profile m.onnx --output gone --data d.npz
profile m.onnx --scores odd
profile m.onnx --threshold 2
profile m.onnx --fail-if fast
profile m.onnx --fail-if 'a > 1' --baseline gone.json
profile m.onnx --json no/such/folder.json
profile m.onnx --json folder
profile m.onnx --junit folder
prepare-data gone.csv --out d.npz
prepare-data text.txt --out d.npz
prepare-data folder --out e.npz
prepare-data d.npz --out no/such/e.npz
prepare-data d.npz --out e.npz --preprocess nothing
prepare-data d.npz --out e.npz --tokenizer gone.json
prepare-data folder --out e.npz --resize big
prepare-data folder --out e.npz --mean grey
prepare-data folder --out e.npz --layout chw
compare m.onnx
compare m.onnx m.onnx
compare m.onnx gone.onnx
compare m.onnx other.onnx
compare m.onnx copy.onnx --margin 0
compare m.onnx copy.onnx --rounds 0
compare m.onnx copy.onnx --block-ms -1
compare m.onnx copy.onnx --data text.npz
profile m.onnx --on board
profile m.onnx --on ssh://-oProxyCommand=id
profile m.onnx --on ssh://board:99999
device
device gone.onnx
device m.onnx --wait 0
device m.onnx --wait 2 --json -
device m.onnx --tolerance 2
device m.onnx --samples 0
device m.onnx --runtime folder
device m.onnx --tls folder --runtime folder
sweep
sweep m.onnx --batch a
sweep m.onnx --batch 0
sweep m.onnx --concurrency 0
sweep m.onnx --samples 0
sweep m.onnx --dim n=a
max-rate m.onnx
max-rate m.onnx --p99-ms 0
max-rate m.onnx --p99-ms 5 --within soon
rerun gone.json --model m.onnx
rerun text.json --model m.onnx
rerun list.json --model m.onnx
load nowhere
load ftp://127.0.0.1/
load http://192.0.2.1/
load http://127.0.0.1:9/ --rate 0
load http://127.0.0.1:9/ --duration never
load http://127.0.0.1:9/ --arrivals odd
load http://127.0.0.1:9/ --method STEAL
load http://127.0.0.1:9/ --header odd
load http://127.0.0.1:9/ --header-file gone
load http://127.0.0.1:9/ --body gone.json
load http://127.0.0.1:9/ --connections 0
load http://127.0.0.1:9/ --processes 0
load http://127.0.0.1:9/ --expect-status 99
load http://127.0.0.1:9/ --find-max
load http://127.0.0.1:9/ --closed 2 --find-max --p99-ms 5
load https://127.0.0.1:9/ --cacert text.json --duration 1s
score gone.npz
score text.npz
score folder
score text.csv
score d.npz
score s.csv --metric nothing
score s.csv --metric ndcg@0
score s.csv --metric os:getcwd
score s.csv --metric gone.module:metric
score s.csv --truth gone
score s.csv --slice gone
score s.csv --group gone
score s.csv --weight truth,score
score s.csv --baseline gone.csv
score s.csv --margin 0.1 --baseline s.csv --id gone
score s.csv --margin odd --baseline s.csv
score s.csv --margin -1 --baseline s.csv
score s.csv --confidence 1
score s.csv --resamples 1
score s.csv --scores-are odd
score s.csv --positive maybe
score s.csv --chart chart.pdf
score s.csv --fail-if odd
score s.csv --json s.csv
score empty.csv
experiment
experiment --control 3
experiment --control 9/3 --treatment 1/3
experiment --control 1/0 --treatment 1/3
experiment --control a/b --treatment 1/3
experiment s.csv --control 1/3 --treatment 1/3
experiment s.csv --unit gone --outcome score
experiment --control 1/300 --treatment 2/300 --share 1
experiment --control 1/300 --treatment 2/300 --planned-units 0
experiment --control 1/300 --treatment 2/300 --confidence 2
experiment --control 1/300 --treatment 2/300 --detect 0
optimize m.onnx --data gone.npz
optimize m.onnx --data d.npz
optimize gone.onnx --data d.npz
pareto gone.json
pareto text.json
pareto list.json
recommend text.json
decide text.json
portfolio text.json
portfolio list.json
portfolio gone.json
learning-curve text.json
learning-curve gone.csv
result check gone.json
result check list.json --fail-if 'a > 1'
result check text.json
result sign list.json --key gone --out s.json
result verify list.json --key gone
result new-key --out no/such/key
cost project gone.yaml
cost tco years=0
cost training odd
cost serving
prices show nothing
prices replay text.json
gate sha256:ab --env prod --public-key gone.pem
track list.json --to jsonl --out lines
track r.json --to nowhere
feed prove 1 --public-key gone.pem
nothing
--nothing
"""
LINES = [line for line in WRONG.splitlines() if line]


def words(line: str) -> list[str]:
    import shlex

    return shlex.split(line)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("wrong")
    builders.classifier(path / "m.onnx")
    builders.classifier(path / "copy.onnx").write_bytes((path / "m.onnx").read_bytes())
    builders.identity(path / "other.onnx", shape=["n", 9])
    np.savez(path / "d.npz", **ARRAYS)
    np.savez(path / "odd.npz", x=np.zeros((5, 9), np.float32), y=ARRAYS["y"])
    np.savez(path / "named.npz", a=ARRAYS["x"], b=ARRAYS["x"])
    np.save(path / "single.npy", ARRAYS["x"])
    for name in ("text.onnx", "m.pkl", "text.skops", "text.ubj", "text.txt", "text.npz", "text.csv", "text.json"):
        (path / name).write_text("nothing")
    (path / "list.json").write_text("[1]")
    (path / "s.csv").write_text("truth,score\n" + "1,0.9\n0,0.2\n" * 20)
    (path / "empty.csv").write_text("truth,score\n")
    (path / "r.json").write_text(json.dumps({"metrics": {}}))
    (path / "empty.onnx").touch()
    (path / "folder").mkdir()
    return path


def test_there_are_a_hundred_and_none_twice():
    assert len(set(LINES)) == len(LINES) >= 100


@pytest.mark.slow
@pytest.mark.parametrize("line", LINES)
def test_a_wrong_invocation_has_a_sentence_and_writes_nothing(folder, monkeypatch, line):
    monkeypatch.chdir(folder)
    before = sorted(path.name for path in folder.rglob("*"))
    done = weighbridge(*words(line))
    said = done.stderr or done.output
    assert done.exit_code == 2, (done.exit_code, said)
    assert said.startswith(("weighbridge: ", "Usage: ")), said
    assert not any(sign in said for sign in ("Traceback", "Error(", "<class", "object at 0x")), said
    assert sorted(path.name for path in folder.rglob("*")) == before
