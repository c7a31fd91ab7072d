"""Results of several commands become the candidates of one choice."""

import json

import pytest
import yaml

from tests.unit.toolkit.cli.test_cli import weighbridge
from tests.unit.toolkit.readers.studies.files import document_of
from tests.unit.toolkit.tradeoff.matrices import document
from weighbridge import experiment, pareto, recommend
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis
from weighbridge.measure.verdict import Status
from weighbridge.tradeoff.candidates import VariantAnswer
from weighbridge.tradeoff.joined import joined
from weighbridge.tradeoff.matrix.file import matrix_from, read_matrix
from weighbridge.tradeoff.requirements import Requirements
from weighbridge.tradeoff.sheets.recommendation_page import page_of

VALID = {"status": "valid", "reasons": []}
BUSY = {"status": "indicative", "reasons": [{"code": "interference.load", "status": "indicative", "message": "Busy."}]}


def metric(value, spread=0.05, unit="ms"):
    ends = {"lower": value * (1 - spread), "upper": value * (1 + spread), "confidence": 0.99}
    return {"value": value, **ends, "n": 700, "unit": unit, "method": "order statistics"}


def profile(latency, *, engine="onnxruntime", verdict=VALID):
    return {
        "schema": "weighbridge.result/1",
        "measured_at": "2026-11-01T12:00:00+00:00",
        "metrics": {"latency_p95_ms": metric(latency), "error_rate": metric(0.001, unit="ratio")},
        "verdict": verdict,
        "manifest": {"model": {"digest": "sha256:ab"}, "engine": {"engine": engine}, "machine": {"cpu": "a test"}},
        "samples": {"latency_ns": [1, 2, 3], "stride": 1},
    }


def scores(accuracy):
    return {"schema": "weighbridge.scores/1", "metrics": {"accuracy": metric(accuracy, 0.01, "ratio")}}


def load(error_rate):
    return {
        "schema": "weighbridge.load/1",
        "measured_at": "2026-11-02T12:00:00+00:00",
        "metrics": {"response_time_p99_ms": metric(40.0), "error_rate": metric(error_rate, unit="ratio")},
        "verdict": BUSY,
    }


def projection(**usd):
    return {
        "schema": "weighbridge.projection/1",
        "draws": 1_000,
        "options": [
            {
                "id": name,
                "metrics": {
                    "total_cost_1y_usd": {
                        "unit": "USD",
                        "p10": str(cost * 0.9),
                        "p50": str(cost),
                        "p90": str(cost * 1.2),
                    },
                    "tco_usd": {"unit": "USD", "p10": None, "p50": None, "p90": None},
                },
            }
            for name, cost in usd.items()
        ],
    }


COSTS = projection(fp32=9_000, int8=4_000)
NAMED = [
    ("fp32", profile(8.0)),
    ("fp32", scores(0.90)),
    ("fp32", load(0.002)),
    ("fp32", COSTS),
    ("fp32", {**profile(30.0, engine="onnxruntime-web 1.27"), "verdict": VALID}),
    ("int8", profile(3.0)),
    ("int8", scores(0.895)),
    ("int8", COSTS),
]


def test_each_name_has_what_all_its_results_measured():
    choice = joined(NAMED)
    fp32, int8 = choice.candidates
    assert set(fp32.metrics) == {
        "latency_p95_ms",
        "error_rate",
        "accuracy",
        "response_time_p99_ms",
        "load_error_rate",
        "total_cost_1y_usd",
        "device_latency_p95_ms",
        "device_error_rate",
    }
    cost = fp32.metrics["total_cost_1y_usd"]
    assert (cost.value, cost.lower, cost.upper, cost.confidence, cost.n) == (9_000, 8_100, 10_800, 0.8, 1_000)
    assert (fp32.metrics["latency_p95_ms"].value, fp32.metrics["device_latency_p95_ms"].value) == (8.0, 30.0)
    assert (choice.baseline, fp32.verdict.answer, int8.verdict.answer) == (
        "fp32",
        VariantAnswer.BASELINE,
        VariantAnswer.UNCOMPARED,
    )
    assert (fp32.measurement.status, int8.measurement.status) == (Status.INDICATIVE, Status.VALID)
    assert [reason.message for reason in fp32.measurement.reasons] == ["Busy."]
    assert (choice.measured_at, fp32.digest, int8.samples.latency_ns) == (
        "2026-11-02T12:00:00+00:00",
        "sha256:ab",
        (1, 2, 3),
    )


def test_a_projection_with_one_option_needs_no_name_of_it():
    (only,) = joined([("any", projection(managed=5))]).candidates
    assert (only.metrics["total_cost_1y_usd"].value, only.measurement, only.digest, only.samples) == (
        5,
        None,
        None,
        None,
    )


def test_answers_of_a_language_model_are_joined_with_their_load():
    answers = document_of("answers")
    (only,) = joined([("any", load(0.002)), ("any", answers)]).candidates
    assert only.metrics["pass_rate"].value == answers["metrics"]["pass_rate"]["value"]
    assert (only.metrics["load_error_rate"].value, only.metrics["answer_error_rate"].value) == (0.002, 0.0)
    assert only.measurement.status is Status.INDICATIVE


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ([], "Give at least one result"),
        ([("a", profile(1.0)), ("a", profile(2.0))], "Two results of a state latency_p95_ms"),
        ([("a", COSTS)], "has no option a; it has fp32, int8"),
        ([("a", {"schema": "weighbridge.sweep/1"})], "can be joined"),
    ],
)
def test_what_cannot_be_joined_is_refused(named, words):
    with pytest.raises(Invalid, match=words):
        joined(named)


def test_results_of_two_models_do_not_stand_under_one_name():
    other = profile(9.0, engine="onnxruntime-web 1 wasm")
    other["manifest"]["model"] = {"digest": "sha256:cd"}
    with pytest.raises(Invalid, match="The results of a are of different models: sha256:ab, sha256:cd"):
        joined([("a", profile(5.0)), ("a", other)])
    assert set(joined([("a", profile(5.0)), ("b", other)]).candidates[1].metrics) >= {"device_latency_p95_ms"}


def test_an_experiment_adds_the_change_of_the_business_metric():
    measured = experiment(control="1000/20000", treatment="1200/20100").document
    (candidate,) = joined([("a", profile(5.0)), ("a", measured)]).candidates
    assert candidate.metrics["business_kpi_delta"].value == measured["metrics"]["business_kpi_delta"]["value"]
    assert candidate.metrics["latency_p95_ms"].value == 5.0


def test_the_frontier_and_the_recommendation_know_costs():
    found = pareto(NAMED, axis=["accuracy", "total_cost_1y_usd"], draws=200)
    assert {each["name"] for each in found["standings"]} == {"fp32", "int8"}
    found = recommend(NAMED)
    assert found["winner"] == "int8"
    assert "Cost of the first year: 4,000 (3,600 to 4,800) USD." in found["costs"]
    strict = recommend(NAMED, margin=0.001)
    assert strict["winner"] == "fp32"
    assert "int8 costs less: cost of the first year 4,000 (3,600 to 4,800) USD." in strict["costs"]


def test_the_page_has_a_column_and_a_picture_of_costs():
    page = page_of(joined(NAMED), Requirements(), title="Which")
    ((_, table),) = page.tables
    assert "cost of the first year (USD)" in table.headings
    assert [name for name, _ in page.charts] == ["accuracy-latency", "accuracy-cost"]


def test_files_are_joined_at_the_terminal(tmp_path):
    texts = []
    for number, (name, found) in enumerate(NAMED):
        (tmp_path / f"{number}.json").write_text(json.dumps(found))
        texts.append(f"{name}={tmp_path / f'{number}.json'}")
    done = weighbridge("recommend", *texts, "--json", tmp_path / "r.json")
    assert (done.exit_code, json.loads((tmp_path / "r.json").read_text())["winner"]) == (0, "int8")
    assert weighbridge("pareto", *texts, "--axis", "accuracy", "--axis", "latency_p95_ms").exit_code == 0
    for wrong in (["int8=", "fp32=x"], [str(tmp_path / "0.json"), texts[0]]):
        done = weighbridge("pareto", *wrong)
        assert (done.exit_code, "Give one candidates file" in done.stderr) == (2, True)


def matrix_of(folder, cells):
    given = document()
    for key, cell in cells.items():
        given["options"][0]["values"][key] = cell
    (folder / "m.yaml").write_text(yaml.safe_dump(given))
    (folder / "p.json").write_text(json.dumps(profile(80.0)))
    (folder / "s.json").write_text(json.dumps(scores(0.8)))
    (folder / "c.json").write_text(json.dumps(projection(managed=500_000)))
    (folder / "list.json").write_text("[1]")
    return read_matrix(folder / "m.yaml").options[0].cells


def test_a_matrix_takes_its_estimates_from_results_beside_it(tmp_path):
    cells = matrix_of(
        tmp_path,
        {
            "latency": {"result": "p.json", "metric": "latency_p95_ms"},
            "accuracy": {"result": "s.json"},
            "cost": {"result": "c.json", "metric": "total_cost_1y_usd"},
        },
    )
    assert (cells["latency"].estimate.value, cells["latency"].estimate.upper) == (80.0, 84.0)
    assert [cells[key].basis for key in ("latency", "accuracy", "cost")] == [
        Basis.MEASURED,
        Basis.MEASURED,
        Basis.ESTIMATED,
    ]
    assert (cells["cost"].estimate.confidence, cells["cost"].source) == (0.8, "c.json")


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ({"result": "gone.json"}, "gone.json"),
        ({"result": "list.json"}, "is not a result"),
        ({"result": "p.json"}, "is 'latency', which p.json does not have"),
        ({"result": "c.json", "metric": "total_cost_1y_usd"}, "is given in USD, but the criterion latency in ms"),
        ({"result": "p.json", "value": 5}, "value"),
    ],
)
def test_a_result_that_a_matrix_cannot_use_is_refused(tmp_path, cell, words):
    with pytest.raises(Invalid, match=words):
        matrix_of(tmp_path, {"latency": cell})


def test_a_matrix_of_another_person_reads_no_files():
    given = document()
    given["options"][0]["values"]["latency"] = {"result": "/etc/passwd"}
    with pytest.raises(Invalid, match="read only for a matrix in a file"):
        matrix_from(given)
