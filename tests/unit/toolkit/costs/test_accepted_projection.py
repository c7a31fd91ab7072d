"""Accepted answers in a projection: their metrics beside the others, from the same draws, and the page with them."""

import copy

import pytest

from tests.unit.toolkit.costs.specs import BOOK, TODAY, small
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.costs.changes import changes
from weighbridge.costs.metrics import ANSWER_METRICS
from weighbridge.costs.prices.shipped import shipped_book
from weighbridge.costs.projection import project
from weighbridge.costs.projection_document import as_document
from weighbridge.costs.spec.spec_file import read_spec
from weighbridge.tradeoff.axes import AxisDirection, axis_of
from weighbridge.tradeoff.sheets.cost_page import cost_words

JUDGE = {"usd": 0.00031, "unit": "request", "as_of": "2026-09-01", "source": "a page"}
CHECKS = {"pass_rate": 0.8, "tries": 3, "judge_usd": JUDGE, "fallback_usd": 0.4}
CALL = {"kind": "managed-api", "prices": {"sku": "openai/gpt-5-mini"}, "input_tokens": 600, "output_tokens": 200}


def document_of(*, serving=None, book=BOOK, **acceptance):
    spec = small()
    spec["options"][0]["acceptance"] = {**CHECKS, **acceptance}
    spec["options"][0]["serving"] = serving or spec["options"][0]["serving"]
    return as_document(project(read_spec(spec, book)))


def of(document, option=0, level="middle"):
    metrics = document["options"][option]["metrics"]
    return {name: float(metrics[name][level]) for name in ANSWER_METRICS if name in metrics}


def test_an_option_without_acceptance_is_as_it_was():
    api, own = as_document(project(read_spec(small(), BOOK)))["options"]
    assert (of({"options": [api]}), "acceptance" in api, "acceptance" in own) == ({}, False, False)


def test_a_request_of_the_load_is_one_try():
    found = document_of()
    # A call costs 0.001: three tries of 0.00131 at most, and 0.008 of the tasks go to a person.
    assert of(found) == {
        "cost_per_request_usd": 0.001,
        "cost_per_accepted_usd": pytest.approx(1.24 * 0.00131 + 0.008 * 0.4),
    }
    parts = found["options"][0]["acceptance"]
    assert (parts["tries"], parts["tries_usd"]["p50"], parts["fallback_usd"]["p50"]) == (
        *(3, "0.0016244000", "0.0032000000"),
    )
    assert (parts["attempts"]["middle"], parts["never_accepted_probability"]) == (pytest.approx(1.24), 0.0)
    assert of(found, option=1) == {}


def test_the_tokens_of_an_api_divide_its_cost():
    found = document_of(serving=CALL, book=shipped_book(TODAY))
    assert of(found)["cost_per_request_usd"] == 0.00055
    assert of(found)["cost_per_m_output_tokens_usd"] == pytest.approx(2.75)


def test_ranges_have_the_same_draws_in_every_metric():
    """The range of output tokens moves the cost of a request, and its quotient by the tokens moves less."""
    serving = {**CALL, "output_tokens": [100, 400]}
    low, high = (of(document_of(serving=serving, book=shipped_book(TODAY)), level=level) for level in ("p10", "p90"))
    spread = {name: high[name] / low[name] for name in low}
    assert spread["cost_per_request_usd"] > 1.8 > spread["cost_per_m_output_tokens_usd"] > 1
    # 2 dollars a million for the output, and 150 millionths for the input over the tokens.
    assert 2 < low["cost_per_m_output_tokens_usd"] < high["cost_per_m_output_tokens_usd"] < 4


def test_a_small_test_widens_the_cost_of_an_accepted_answer():
    spreads = []
    for items in (20, 2_000):
        found = document_of(pass_rate=None, passed=items * 4 // 5, items=items)
        levels = [of(found, level=level)["cost_per_accepted_usd"] for level in ("p10", "p90")]
        spreads.append(levels[1] - levels[0])
        assert of(found)["cost_per_accepted_usd"] == pytest.approx(0.0048244)
    assert spreads[0] > 5 * spreads[1] > 0


def test_what_is_never_accepted_has_no_metric():
    found = document_of(pass_rate=0.0, fallback_usd=None)
    assert set(of(found)) == {"cost_per_request_usd"}
    assert found["options"][0]["acceptance"]["never_accepted_probability"] == 1.0


def test_the_metrics_are_those_of_the_catalog_and_have_a_direction():
    for name, kind in ANSWER_METRICS.items():
        assert STANDARD[name].unit == kind.unit
        assert axis_of(name).direction is AxisDirection.MIN


def test_the_page_and_the_changes_show_them():
    before, after = document_of(), document_of(fallback_usd=0.8)
    rows = [row for row in cost_words(after).tables[0][1].rows if "accepted" in row[0]]
    assert rows == [("cost of an accepted answer", "api", *["0.008024"] * 4)]
    moved = changes(before, after)["metrics"]["api"]["cost_per_accepted_usd"]["p50"]
    assert (moved["before"], moved["after"]) == ("0.0048244000", "0.0080244000")


@pytest.mark.parametrize(
    ("acceptance", "field", "words"),
    [
        ({"tries": 0}, "tries", "1 to 10"),
        ({"passed": 3, "items": 4}, "pass_rate", "either pass_rate"),
        ({"judge_usd": 0.1}, "judge_usd", "a plain number has no date and no source"),
        ({"judge": {"input_tokens": 5}}, "judge.input_tokens", "has no price"),
        ({"tried": 1}, "tried", "is unknown"),
    ],
)
def test_faults_have_their_path(acceptance, field, words):
    with pytest.raises(Invalid, match=words) as refused:
        document_of(**acceptance)
    assert refused.value.field == f"options[0].acceptance.{field}"


def test_a_judge_that_is_a_call_is_priced_from_the_book():
    judge = {"prices": {"sku": "openai/gpt-5-mini"}, "input_tokens": 600, "output_tokens": 10}
    found = document_of(book=shipped_book(TODAY), judge_usd=None, judge=judge, serving=copy.deepcopy(CALL))
    assert float(found["options"][0]["acceptance"]["tries_usd"]["middle"]) == pytest.approx(1.24 * (0.00055 + 0.00017))
    paths = {price["path"] for price in found["prices"]}
    assert "options[0].acceptance.judge.prices.input_usd" in paths
