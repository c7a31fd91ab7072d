"""Our own results: verdicts, reasons and missing metrics are taken as they are."""

from decimal import Decimal

import pytest

from tests.unit.toolkit.readers.files import absent, changed, doubts, metric, only, sample, values
from weighbridge.core.errors import Invalid

MODEL = "sha256:fc8ddaa0ef0d79403f1c2fa4f1a4a8d4764d726bc81adef1be0657edc91d8ad7"


def test_a_profile_keeps_its_intervals_and_reasons():
    result = only("weighbridge_profile.json")
    assert (result.tool, result.part, result.model.digest) == ("Weighbridge", "SingleStream", MODEL)
    assert result.data.digest == "sha256:f2304a3ed165ef6a5a4334ee6bfabdbc32720716e09c0095ffab2efcc03c157b"
    p99 = metric(result, "latency_p99_ms")
    assert (str(p99.value), str(p99.lower), str(p99.upper)) == ("0.013600630000000004", "0.013072", "0.014243")
    assert (p99.n, p99.confidence, p99.unit) == (357838, Decimal("0.99"), "ms")
    assert values(result)["accuracy"] == "0.9 ratio"
    assert set(absent(result)) == {"tool_version", "started_at", "energy_per_query_j", "roc_auc"}
    status, messages = doubts(result)
    assert (status, messages[0]) == ("indicative", "Other work used 0.93 of 2 processors during the run.")
    assert result.conditions["settings.scenario.min_samples"] == "140"
    assert result.conditions["measured_at"] == "2026-11-28T05:34:34.648711+00:00"


def test_scores_have_rows_and_a_file_of_predictions():
    result = only("weighbridge_score.json")
    assert (result.part, result.data.name, result.data.n) == ("classification", "s.npz", 60)
    assert values(result)["ece@15"] == "0.7249999999999996 ratio"
    assert doubts(result) == ("valid", [])


def test_each_candidate_of_a_comparison_is_a_result():
    first, second = sample("weighbridge_compare.json")
    assert (first.part, second.part) == ("m", "n")
    assert first.model.digest == second.model.digest == MODEL
    assert values(second)["latency_p50_ms"] == "0.00481149560947529 ms"
    assert doubts(first)[0] == "indicative"


def test_a_load_test_that_is_invalid_stays_so():
    result = only("weighbridge_load.json")
    assert doubts(result)[0] == "invalid"
    assert values(result)["response_time_p50_ms"] == "41.196619 ms"
    assert "response_time_p99_ms" in absent(result)


def test_unusual_verdicts(tmp_path):
    def other(document):
        document["is_partial"] = True
        document["verdict"] = {"status": "invalid", "reasons": []}
        document["quality_verdict"] = {"status": "invalid", "reasons": [{"code": "x", "status": "odd"}, {}]}
        document["manifest"]["model"]["digest"] = "md5:1"
        del document["metrics"]["accuracy"]["unit"]

    (result,) = changed(tmp_path, "weighbridge_profile.json", other)
    assert doubts(result) == (
        "invalid",
        [
            "The verdict is invalid, without a reason.",
            "x",
            "The verdict has a reason.",
            "The measurement ended before its plan: the result is partial.",
        ],
    )
    assert (result.model.digest, metric(result, "accuracy").unit) == (None, "unstated")


def test_other_documents_of_ours_are_refused(tmp_path):
    with pytest.raises(Invalid, match=r"is weighbridge\.check/1; only weighbridge\.result/1"):
        changed(tmp_path, "weighbridge_score.json", lambda document: document.update(schema="weighbridge.check/1"))
    with pytest.raises(Invalid, match="is a signed result; write its content with `weighbridge result verify --json`"):
        changed(tmp_path, "weighbridge_score.json", lambda _: {"payloadType": "application/vnd.in-toto+json"})
    with pytest.raises(Invalid, match="has no metric that can be taken"):
        changed(tmp_path, "weighbridge_score.json", lambda document: document.pop("metrics") and None)
