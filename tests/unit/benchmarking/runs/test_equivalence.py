"""The answer of a repeated run as its page shows it."""

from types import SimpleNamespace

from benchmarking.runs.web.equivalence import equivalence_of


def test_small_numbers_of_a_repeated_run_are_not_shown_as_zero():
    metric = {
        "metric": "latency_p50_ms",
        "then": 12.0,
        "now": 0.005,
        "answer": "different",
        "ratio": 0.0004166,
        "lower": 0.0003,
        "upper": 1.25,
        "p_value": 0.04,
    }
    document = {"answer": "different", "margin": 0.1, "reasons": [], "metrics": [metric], "differences": []}
    found = equivalence_of(SimpleNamespace(equivalence=document))
    assert found is not None
    assert found.metrics[0].ratio == "0.0004 (0.0003 to 1.250)"
    assert (found.metrics[0].second, found.metrics[0].p_value, found.margin) == ("0.005", "0.040", "10 %")
    less = document | {"metrics": [metric | {"p_value": 0.0001}]}
    assert equivalence_of(SimpleNamespace(equivalence=less)).metrics[0].p_value == "<0.001"
    assert equivalence_of(SimpleNamespace(equivalence=None)) is None
