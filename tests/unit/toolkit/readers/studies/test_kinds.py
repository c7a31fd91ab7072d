"""What each kind of study says, and the chart that is drawn of it."""

import json
from xml.etree import ElementTree

import pytest

from tests.unit.toolkit.readers.studies.files import (
    KINDS,
    SAMPLES,
    changed,
    conclusions,
    details,
    doubts,
    sample,
    study_in,
)
from weighbridge.api.documents import import_results
from weighbridge.charts.drawing import svg
from weighbridge.core.errors import Invalid
from weighbridge.readers.registry import read_results
from weighbridge.readers.studies.registry import read_file, read_study
from weighbridge.tradeoff.matrix.decided import decide
from weighbridge.tradeoff.matrix.file import matrix_from


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_every_study_has_its_kind_conclusions_and_a_chart_with_a_table(name: str, kind: str) -> None:
    study = sample(name)
    assert study.summary.kind == kind
    assert all(sentence.endswith(".") for sentence in conclusions(study))
    chart = study.draw()
    assert chart.table.rows
    assert chart.alt.endswith(".")
    picture = ElementTree.fromstring(svg(chart))
    assert picture.tag.endswith("svg")


def test_a_load_test_says_whether_its_limit_is_met(tmp_path) -> None:
    study = sample("load_test")
    assert conclusions(study) == (
        "At 97.59 answers per second, p99 of the response time is 50.39 ms (48.98 to 51.46).",
        "The limit of p99, 50 ms, lies within the interval, so that it may be met or missed.",
    )
    assert details(study)["load"] == "100 requests per second, poisson"
    assert "error_rate" in {metric.name for metric in study.result.metrics}

    def limited(limit_ms, is_within):
        def change(document):
            document["plan"]["p99_limit_ms"] = limit_ms
            document["within_limit"] = {"limit_ms": limit_ms, "is_within": is_within}

        return conclusions(changed(tmp_path, "load_test", change))[1]

    assert limited(52.0, True) == "The limit of p99, 52 ms, is met."
    assert limited(40.0, False) == "The limit of p99, 40 ms, is missed."


def test_a_load_test_of_a_language_model_says_when_answers_begin_and_how_many_are_good(tmp_path) -> None:
    study = sample("chat_load")
    first, second = conclusions(study)
    assert first.startswith("p95 of the time to the first token is ")
    assert second == "23.94 requests per second (23.7 to 23.94) keep TTFT ≤ 100 ms, TPOT ≤ 12 ms."
    assert details(study)["prompts"] == "generated.jsonl"
    assert details(study)["tokens"].startswith("input ")
    assert {"ttft_p95_ms", "goodput_per_s"} <= {metric.name for metric in study.result.metrics}

    def withheld(document):
        document["metrics"] = {k: v for k, v in document["metrics"].items() if not k.startswith(("ttft", "tpot"))}

    only = changed(tmp_path, "chat_load", withheld)
    assert conclusions(only) == (second,)
    assert only.draw().table.rows[0][0] == "goodput"

    def unlimited(document):
        document["streaming"]["good"] = None
        document["streaming"]["limits"]["words"] = ""
        document["loop"] = "closed"
        document["plan"] |= {"users": 2, "think_s": 1.0}
        document["metrics"].pop("ttft_p95_ms")

    plain = changed(tmp_path, "chat_load", unlimited)
    assert conclusions(plain)[0].startswith("p99 of the time to the first token")
    assert details(plain)["load"] == "closed loop, 2 users, think time 1 s"

    def nothing(document):
        withheld(document)
        unlimited({**document, "metrics": {"ttft_p95_ms": 0}})

    with pytest.raises(Invalid, match="has neither times nor a goodput"):
        changed(tmp_path, "chat_load", nothing)


@pytest.mark.parametrize(
    "good", [{"n": 0}, {"good": 999}, {"blocks": []}, {"blocks": [2.0]}, {"blocks": ["1"]}, {"blocks": [1.0] * 51}]
)
def test_counts_of_good_answers_that_cannot_be_are_refused(tmp_path, good) -> None:
    with pytest.raises(Invalid, match="good of"):
        changed(tmp_path, "chat_load", lambda document: document["streaming"]["good"].update(good))


def test_a_load_test_without_a_limit_or_with_users(tmp_path) -> None:
    def change(document):
        document["plan"] |= {"p99_limit_ms": None, "users": 20, "think_s": 0.5}
        document["loop"], document["within_limit"] = "closed", None
        del document["metrics"]["response_time_p99_ms"]

    study = changed(tmp_path, "load_test", change)
    (sentence,) = conclusions(study)
    assert "p95 of the response time is 48.38 ms" in sentence
    assert details(study)["load"] == "closed loop, 20 users, think time 0.5 s"
    assert "limit" not in study.draw().table.headings


def test_a_limit_without_a_p99_is_missed(tmp_path) -> None:
    def change(document):
        del document["metrics"]["response_time_p99_ms"]
        document["within_limit"]["is_within"] = False

    assert conclusions(changed(tmp_path, "load_test", change))[1] == "The limit of p99, 50 ms, is missed."


def test_a_load_test_without_response_times_is_refused(tmp_path) -> None:
    def change(document):
        document["metrics"] = {key: value for key, value in document["metrics"].items() if "time" not in key}

    with pytest.raises(Invalid, match="no response times"):
        changed(tmp_path, "load_test", change)


def test_a_highest_rate_shows_its_trials() -> None:
    study = sample("max_rate")
    assert conclusions(study) == (
        "Up to 104,834 requests per second (84,314 to 104,834), 99 % of the responses take at most 5 ms.",
    )
    assert details(study) == {
        "limit": "5 ms of the response time p99",
        "trials": "19",
        "target": "the model in a process of its own",
    }
    assert len(study.draw().table.rows) == 19
    assert details(sample("load_search"))["target"].startswith("http://127.0.0.1:")


def test_a_search_without_an_answer_is_no_evidence(tmp_path) -> None:
    def change(document):
        document["highest_rate_per_s"] = None
        document["trials"][0]["latency_ms"] = None

    study = changed(tmp_path, "max_rate", change)
    assert doubts(study) == ("invalid", ["The search found no highest rate."])
    assert conclusions(study) == ("The search found no highest rate.",)
    assert "no answer" in {row[1] for row in study.draw().table.rows}


def test_a_sweep_names_its_best_point_and_why_others_are_no_evidence(tmp_path) -> None:
    study = sample("sweep")
    assert details(study) == {"points": "6, of which 6 measured the model"}

    def change(document):
        points = document["points"]
        points[0] = {"batch": 1, "concurrency": 1, "dims": {"seq": 8}, "refused": {"code": "x", "reason": "No memory."}}
        points[1]["reasons"] = [{"code": "environment.threads", "status": "indicative", "message": "Too many threads."}]
        points[2]["status"] = "invalid"
        del points[3]["metrics"]["throughput_samples_per_s"]
        del points[4]["metrics"]["latency_p99_ms"]

    fewer = changed(tmp_path, "sweep", change)
    assert details(fewer) == {"points": "6, of which 2 measured the model"}
    rows = {row[0]: row[-1] for row in fewer.draw().table.rows}
    assert rows["batch 1 x 1, seq 8"] == "No memory."
    assert set(rows.values()) == {
        "No memory.",
        "Too many threads.",
        "Its verdict is invalid.",
        "It has no throughput.",
        "",
    }
    assert "batch 1 x 1, seq 8: No memory." in doubts(fewer)[1]


def test_a_sweep_that_measured_nothing_is_no_evidence(tmp_path) -> None:
    def change(document):
        for point in document["points"]:
            point["status"] = "invalid"

    study = changed(tmp_path, "sweep", change)
    assert (doubts(study)[0], conclusions(study)) == ("invalid", ())
    assert "No point of the sweep measured the model." in doubts(study)[1]


def test_a_learning_curve_is_fitted_again(tmp_path) -> None:
    study = sample("learning_curve")
    assert doubts(study) == ("valid", [])
    assert conclusions(study)[0] == "With 8,000 rows, expect accuracy 0.9273 (95%: 0.9233 to 0.9316)."
    assert conclusions(study)[-1].startswith("Back-test: fitted on up to 4,000 rows")
    assert details(study)["sizes"] == "5, from 500 to 8,000 rows"

    def without_test(document):
        document["back_test"] = None

    assert doubts(changed(tmp_path, "learning_curve", without_test)) == (
        "indicative",
        ["No back-test says whether such a forecast can be relied on."],
    )

    def missed(document):
        document["back_test"] |= {"value": 0.95, "lower": 0.9495, "upper": 0.9505}

    assert doubts(changed(tmp_path, "learning_curve", missed))[1] == [
        "In the back-test, the measured value was outside the forecast."
    ]


def test_a_curve_of_errors_without_repeats_may_drop_late(tmp_path) -> None:
    def change(document):
        errors = ((500, 0.2), (1000, 0.18), (2000, 0.165), (4000, 0.05))
        document["points"] = [{"rows": rows, "value": error, "parts": 1, "deviation": None} for rows, error in errors]
        document |= {"metric": "error", "expected": [], "back_test": None}

    study = changed(tmp_path, "learning_curve", change)
    assert "The error falls faster at the end, so that nothing can be forecast." in doubts(study)[1]
    assert conclusions(study)[0].startswith("No forecast")
    assert study.draw().title == "Error by rows of training data"


def decided_again(document):
    """Give a changed matrix the digest that it would have had."""
    decision = decide(matrix_from(document["input"]), draws=document["draws"], seed=document["seed"])
    document["digest"] = decision.as_document()["digest"]


def test_a_decision_matrix_is_decided_again(tmp_path) -> None:
    study = sample("decision_matrix")
    assert study.summary.title == "Decision matrix: Which fraud detector"
    assert conclusions(study)[0] == "Take open model."
    assert details(study)["rejected"] == "other vendor: No data processing agreement."
    assert doubts(study) == ("indicative", ["5 of 8 estimates are declared or estimated, not measured."])

    def close(document):
        cells = document["input"]["options"][0]["values"]
        cells |= {name: dict(cell) for name, cell in document["input"]["options"][1]["values"].items()}
        document["situation"], document["winner"] = "tied", "managed API"
        decided_again(document)

    assert (
        "The choice is not clear within the intervals of the estimates and the weights."
        in doubts(changed(tmp_path, "decision_matrix", close))[1]
    )


def test_a_clear_choice_among_measured_options_has_no_doubts(tmp_path) -> None:
    def measured(document):
        for option in document["input"]["options"]:
            for cell in option["values"].values():
                cell["basis"] = "measured"
        decided_again(document)

    assert doubts(changed(tmp_path, "decision_matrix", measured)) == ("valid", [])


def test_an_experiment_is_computed_again_from_its_arms(tmp_path) -> None:
    study = sample("experiment")
    assert conclusions(study) == (
        "With any number of looks, no difference is shown: +13.00% (95%: -0.99% to +28.96%).",
        "With one look at the end, a difference is shown: +13.00% (95%: +4.02% to +22.76%).",
    )
    assert [metric.name for metric in study.result.metrics] == ["business_kpi_delta"]
    assert details(study)["control"] == "20,000 units, mean 0.05"

    def of_money(document):
        document["arms"]["control"] |= {"mean": -0.5, "variance": 4.0}
        document["arms"]["treatment"] |= {"mean": 0.5, "variance": 4.0}
        document["metrics"] = {}

    absolute = changed(tmp_path, "experiment", of_money)
    assert conclusions(absolute)[0].startswith("With any number of looks, a difference is shown: +1 (95%: +0.9")
    assert absolute.result.metrics == ()
    assert "change of the mean outcome" in json.dumps(absolute.draw().spec)


def test_a_device_is_shown_beside_the_machine_that_served_it(tmp_path) -> None:
    study = sample("device")
    assert conclusions(study) == ("On the device, p99 of the latency is 2.117 ms (2.102 to 2.146).",)
    assert details(study)["device"] == "Chrome 140 on Android"
    assert doubts(study)[0] == "indicative"

    def beside(document):
        document["here"] = {"metrics": {"latency_p99_ms": {"value": 1.0, "lower": 0.9, "upper": 1.1}}}

    served = changed(tmp_path, "device", beside)
    assert conclusions(served)[1] == "That is 2.117 times the latency on the machine that served the model."
    assert "on the machine that served it" in served.draw().table.headings


def test_a_device_that_answers_otherwise_or_not_at_all_is_no_evidence(tmp_path) -> None:
    def other(document):
        document["agreement"]["is_within"] = False

    assert doubts(changed(tmp_path, "device", other))[0] == "invalid"

    def silent(document):
        document["metrics"] = {"load_time_ms": document["metrics"]["load_time_ms"]}

    with pytest.raises(Invalid, match="has no latency"):
        changed(tmp_path, "device", silent)


def test_scores_have_slices_and_drops_from_a_baseline(tmp_path) -> None:
    study = sample("scores")
    assert conclusions(study) == (
        "accuracy is 0.8517 (0.821 to 0.8779).",
        "f1_macro is 0.8516 (0.8239 to 0.8793).",
        (
            "By slice, accuracy goes from 0.802 (0.7324 to 0.857) in region south to 0.9024 (0.8449 to 0.94) in region "
            "north."
        ),
        "The drop of accuracy from the baseline is -0.03833 (-0.08096 to 0.004165), shown to be below 0.03.",
        "The drop of f1_macro from the baseline is -0.03915 (-0.08156 to 0.003255), shown to be below 0.03.",
        "In slices, 4 of 4 drops are not shown to be acceptable.",
    )
    assert study.draw().title == "accuracy by slice"

    def plain(document):
        document |= {"slices": [], "notes": [{"message": "Few rows."}], "drops": document["drops"][:1]}
        document["drops"][0] |= {"margin": None, "is_non_inferior": None}
        document["metrics"]["count"] = {"value": 3, "lower": None, "upper": None, "unit": "1"}

    def equal(document):
        document["drops"][0] |= {"upper": 0.03, "margin": 0.03, "is_non_inferior": False}

    assert "not shown to be below 0.03." in conclusions(changed(tmp_path, "scores", equal))[3]
    plainer = changed(tmp_path, "scores", plain)
    assert doubts(plainer) == ("indicative", ["Few rows."])
    assert conclusions(plainer)[2:] == (
        "count is 3.",
        "The drop of accuracy from the baseline is -0.03833 (-0.08096 to 0.004165).",
    )
    chart = plainer.draw()
    assert (chart.title, [row[0] for row in chart.table.rows]) == ("Metrics", ["accuracy", "f1_macro"])


def test_scores_of_probabilities_show_their_reliability(tmp_path) -> None:
    study = study_in(SAMPLES.parents[1] / "samples" / "weighbridge_score.json")
    assert study.draw().title == "Reliability of stated probabilities"

    def empty(document):
        document["metrics"] = {}

    with pytest.raises(Invalid, match="has no metric that can be taken"):
        changed(tmp_path, "scores", empty)


def test_other_files_are_no_studies(tmp_path) -> None:
    for name, content in (("a.json", b'{"schema": "weighbridge.projection/1"}'), ("b.json", b'{"schema": 3}')):
        (tmp_path / name).write_bytes(content)
        assert read_study(tmp_path / name) is None
    assert read_study(tmp_path) is None
    with pytest.raises(Invalid, match=r"only weighbridge\.result/1"):
        read_results(SAMPLES / "sweep.json")


def test_a_study_is_imported_like_any_result() -> None:
    (study,) = read_file(SAMPLES / "sweep.json")
    assert study.study is not None
    assert study.metrics == ()
    with pytest.raises(Invalid, match="is no file of GuideLLM"):
        read_file(SAMPLES / "sweep.json", tool="guidellm")
    result = import_results([SAMPLES / "experiment.json"])
    assert result["results"][0]["study"]["kind"] == "experiment"
    assert [row["metric"] for row in result.rows] == ["business_kpi_delta"]
