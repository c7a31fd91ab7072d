"""lm-evaluation-harness and Inspect: tasks, groups, standard errors, incomplete evaluations, archives."""

import io
import json
import zipfile
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tests.unit.toolkit.readers.files import SAMPLES, absent, changed, doubts, metric, only, sample, values
from weighbridge.core.errors import Invalid
from weighbridge.readers.registry import read_results
from weighbridge.readers.tools import inspect_logs

ARCHIVE = (SAMPLES / "inspect.eval").read_bytes()


def test_each_task_of_the_harness_is_a_result():
    sums, products, group = sample("lm_eval.json")
    assert [result.part for result in (sums, products, group)] == ["sums", "products", "arith"]
    assert (sums.tool_version, sums.data.name, sums.data.n) == ("0.4.13", "sums", 25)
    assert sums.started_at == datetime(2026, 11, 28, 5, 39, 41, 592837, tzinfo=UTC)
    assert values(sums) == {"accuracy": "0.36 ratio", "lm_eval.acc_norm": "0.4 ratio"}
    accuracy = metric(sums, "accuracy")
    # 0.36 - 1.959963984540054 * 0.09797958971132711
    assert float(accuracy.lower) == pytest.approx(0.36 - 1.959963984540054 * 0.09797958971132711, abs=1e-15)
    assert accuracy.upper - accuracy.value == accuracy.value - accuracy.lower
    assert (accuracy.n, accuracy.confidence) == (25, Decimal("0.95"))
    assert doubts(sums) == (
        "indicative",
        [
            "Only 25 of 40 examples were evaluated; the first ones, not a random sample.",
            "The interval of accuracy is of 25 rows; an interval from a standard error needs 30 or more.",
            "The interval of lm_eval.acc_norm is of 25 rows; an interval from a standard error needs 30 or more.",
        ],
    )
    assert (sums.conditions["few_shot"], sums.conditions["limit"]) == ("0", "25.0")
    assert "ended_at" in absent(sums)


def test_the_average_of_a_group_is_no_accuracy():
    group = sample("lm_eval.json")[2]
    assert values(group) == {"lm_eval.acc": "0.38 ratio"}
    assert group.data.n == 50
    text = "This is an average over tasks (sums, products), not a metric of one data set."
    assert doubts(group) == ("indicative", [text])


def test_a_filter_and_a_value_that_is_none_keep_their_names(tmp_path):
    def other(document):
        document["results"]["sums"] = {
            "alias": "sums",
            "exact_match,strict-match": 0.5,
            "exact_match_stderr,strict-match": "N/A",
            "acc,none": 1.0,
            "acc_stderr,none": 0.0,
            "bleu,none": 12.5,
            "bleu_stderr,none": 0.25,
            "word_perplexity,none": "N/A",
        }
        document["n-samples"]["sums"] = {"original": 40, "effective": 40}
        document["config"]["model_args"] = {"pretrained": "acme/model", "dtype": "float16"}

    result = changed(tmp_path, "lm_eval.json", other)[0]
    assert values(result) == {
        "lm_eval.exact_match,strict-match": "0.5 ratio",
        "accuracy": "1.0 ratio",
        "lm_eval.bleu": "12.5 unstated",
    }
    assert absent(result)["lm_eval.exact_match,strict-match interval"] == "The tool gives no standard error."
    assert absent(result)["accuracy interval"].startswith("The tool states a standard error of 0")
    assert absent(result)["lm_eval.word_perplexity"] == "The tool gives no value (N/A)."
    assert metric(result, "lm_eval.bleu").upper == Decimal("12.5") + Decimal("1.959963984540054") * Decimal("0.25")
    assert (result.model.name, result.conditions["model_args.dtype"]) == ("acme/model", "float16")
    assert doubts(result) == ("valid", [])


def test_an_interval_of_a_share_stays_between_0_and_1(tmp_path):
    def other(document):
        document["results"]["sums"] |= {"acc,none": 0.99, "acc_stderr,none": 0.02}
        document["results"]["products"] |= {"acc,none": 0.01, "acc_stderr,none": 0.02}

    sums, products, _ = changed(tmp_path, "lm_eval.json", other)
    assert metric(sums, "accuracy").upper == 1
    assert metric(products, "accuracy").lower == 0


def test_an_older_report_has_no_counts(tmp_path):
    def older(document):
        for each in document["results"].values():
            del each["sample_len"]
        del document["n-samples"], document["model_name"]
        document["group_subtasks"] = {}
        document["config"]["model_args"] = "pretrained=acme/model,dtype=float16"

    result = changed(tmp_path, "lm_eval.json", older)[0]
    assert (result.data.n, result.model.name) == (None, "dummy")
    assert result.conditions["model_args"] == "pretrained=acme/model,dtype=float16"
    assert doubts(result) == ("valid", [])
    assert doubts(changed(tmp_path, "lm_eval.json", older)[2])[1] == [
        "This is an average over tasks (not listed), not a metric of one data set."
    ]


@pytest.mark.parametrize("name", ["inspect.json", "inspect.eval"])
def test_both_forms_of_a_log_state_the_same(name):
    result = only(name)
    assert (result.tool, result.tool_version, result.part) == ("Inspect", "0.3.120", "sums, match")
    assert result.started_at == result.ended_at == datetime(2026, 11, 28, 5, 43, tzinfo=UTC)
    assert (result.model.name, result.data.name, result.data.n) == ("mockllm/model", "sums", 8)
    assert values(result) == {"accuracy": "0.75 ratio"}
    accuracy = metric(result, "accuracy")
    assert float(accuracy.lower) == pytest.approx(0.75 - 1.959963984540054 * 0.16366341767699427, abs=1e-15)
    assert (accuracy.upper, accuracy.n) == (1, 8)
    text = "The interval of accuracy is of 8 rows; an interval from a standard error needs 30 or more."
    assert doubts(result) == ("indicative", [text])


def test_a_log_without_scores_is_refused():
    with pytest.raises(Invalid, match=r"has no result: status error, ValueError\('the solver is broken'\)\."):
        sample("inspect_error.json")


def test_an_incomplete_evaluation_says_so(tmp_path):
    def ended(document):
        document |= {"status": "cancelled", "invalidated": True, "error": {"message": "stopped"}}
        document["results"] |= {"total_samples": 10, "completed_samples": 8}
        document["results"]["scores"][0]["unscored_samples"] = 2
        document["eval"]["config"]["limit"] = 10
        del document["results"]["scores"][0]["scored_samples"]

    (result,) = changed(tmp_path, "inspect.json", ended)
    assert doubts(result) == (
        "invalid",
        [
            "The evaluation did not end well: status cancelled, stopped.",
            "The log is marked as invalidated.",
            "Only 8 of 10 samples were completed.",
            "2 samples have no score, and no part in the metrics.",
            "The evaluation was limited to a part of the data set.",
            "The interval of accuracy is of 8 rows; an interval from a standard error needs 30 or more.",
        ],
    )
    assert result.data.n == 8


def test_partial_credit_and_epochs_are_no_accuracy(tmp_path):
    def graded(document):
        score = document["results"]["scores"][0]
        score["name"] = "model_graded_qa"
        score["metrics"]["f1"] = {"name": "f1", "value": 0.5}

    (result,) = changed(tmp_path, "inspect.json", graded)
    assert values(result) == {"inspect_ai.accuracy": "0.75 ratio", "inspect_ai.f1": "0.5 unstated"}
    assert absent(result)["inspect_ai.f1 interval"] == "The log gives no standard error of this metric."

    def repeated(document):
        document["eval"]["config"]["epochs"] = 3
        del document["results"]["scores"][0]["metrics"]["stderr"]

    (result,) = changed(tmp_path, "inspect.json", repeated)
    assert values(result) == {"inspect_ai.accuracy": "0.75 ratio"}
    assert metric(result, "inspect_ai.accuracy").lower is None


def archive(tmp_path, content):
    path = tmp_path / "log.eval"
    path.write_bytes(content)
    return read_results(path)


def zipped(name, content):
    """Return an archive with one compressed entry."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, content)
    return stream.getvalue()


def test_a_log_compressed_with_zstandard_is_refused_with_what_to_do(tmp_path):
    # 93 is the number of Zstandard in ZIP archives; the entries of the sample have 8, deflate.
    whole = ARCHIVE.replace(b"PK\x03\x04\x14\x00\x00\x00\x08\x00", b"PK\x03\x04\x14\x00\x00\x00\x5d\x00")
    whole = whole.replace(b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x08\x00", b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x5d\x00")
    assert whole.count(b"\x5d\x00") > ARCHIVE.count(b"\x5d\x00")
    with pytest.raises(
        Invalid, match=r"compressed with Zstandard, which is not read\. Convert it: inspect log convert"
    ):
        archive(tmp_path, whole)


def test_archives_are_bounded(tmp_path, monkeypatch):
    with pytest.raises(Invalid, match=r"no readable archive with a header\.json"):
        archive(tmp_path, zipped("other.json", "{}"))
    with pytest.raises(Invalid, match=r"no readable archive with a header\.json"):
        archive(tmp_path, ARCHIVE[:-30])
    with pytest.raises(Invalid, match=r"header\.json in log\.eval is not valid JSON"):
        archive(tmp_path, zipped("header.json", "{"))
    monkeypatch.setattr(inspect_logs, "ENTRIES_MAX", 3)
    with pytest.raises(Invalid, match="more than 3 entries"):
        archive(tmp_path, ARCHIVE)


def test_a_header_that_unpacks_to_more_than_allowed_is_refused(tmp_path):
    from weighbridge.core.errors import TooLarge

    bomb = zipped("header.json", json.dumps({"a": " " * 20_000_000}))
    assert len(bomb) < 50_000
    with pytest.raises(TooLarge, match="larger than the 16,000,000 bytes allowed"):
        archive(tmp_path, bomb)


@pytest.mark.parametrize("name", ["../header.json", "/etc/passwd", "samples\\..\\..\\x.json"])
def test_an_archive_whose_entries_lead_out_of_it_is_refused(tmp_path, name):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("header.json", "{}")
        file.writestr(name, "{}")
    with pytest.raises(Invalid, match="has an entry that leads out of its folder"):
        archive(tmp_path, stream.getvalue())


def with_usage(tmp_path, usage):
    def change(document):
        document["stats"]["model_usage"] = usage

    return changed(tmp_path, "inspect.json", change)[0]


def test_tokens_that_a_cache_served_are_input_tokens(tmp_path):
    # As inspect_ai 0.3.285 wrote them: 60 input tokens are those that no cache served.
    usage = {"input_tokens": 60, "output_tokens": 24, "total_tokens": 168, "input_tokens_cache_read": 84}
    result = with_usage(tmp_path, {"mockllm/model": usage, "mockllm/judge": {"input_tokens": 999}})
    assert values(result)["cached_token_share"] == f"{Decimal(84) / 144} ratio"
    stated = {key: result.conditions.get(key) for key in ("input_tokens", "cached_tokens", "output_tokens")}
    assert stated == {"input_tokens": "144", "cached_tokens": "84", "output_tokens": "24"}
    written = with_usage(tmp_path, {"mockllm/model": usage | {"input_tokens_cache_write": 16}})
    assert written.conditions["input_tokens"] == "160"


@pytest.mark.parametrize(
    "usage", [{}, {"other": {"input_tokens": 5}}, {"mockllm/model": {}}, {"mockllm/model": {"input_tokens": 0}}]
)
def test_without_tokens_of_the_model_no_share_is_stated(tmp_path, usage):
    assert values(with_usage(tmp_path, usage)) == {"accuracy": "0.75 ratio"}
