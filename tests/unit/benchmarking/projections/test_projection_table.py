from decimal import Decimal
from functools import cache

import pytest

from benchmarking.projections.domain.projection_table import metric_of, moves_of, price_use, table_of
from tests.factories.costs import cost_spec
from weighbridge.costs.changes import changes
from weighbridge.costs.prices.shipped import shipped_book
from weighbridge.costs.projection import project
from weighbridge.costs.projection_document import as_document
from weighbridge.costs.spec.spec_file import read_spec

LOCK_IN = {"code_hours": 40, "switch_probability": 0.1}


@cache
def document(only: str | None = None, **serving: float):
    spec = cost_spec(
        only=only,
        **serving,
        thresholds=[{"metric": "total_cost_1y_usd", "above": 10_000}],
        people={"engineer_usd_per_h": 100},
    )
    spec["options"][0]["lock_in"] = LOCK_IN
    return as_document(project(read_spec(spec, shipped_book())))


def test_options_stand_side_by_side_and_the_lowest_is_marked():
    table = table_of(document())
    assert [(option.id, option.title) for option in table.options] == [("own", "Own replicas"), ("api", "Managed API")]
    total = next(row for row in table.rows if row.name == "total_cost_1y_usd")
    own, api = total.cells
    metrics = document()["options"][0]["metrics"]["total_cost_1y_usd"]
    assert (own.metric.value, own.metric.lower, own.metric.upper, own.metric.p80) == tuple(
        Decimal(metrics[level]) for level in ("p50", "p10", "p90", "p80")
    )
    assert (own.metric.basis, own.metric.confidence) == ("estimated", Decimal("0.8"))
    assert (own.is_least, api.is_least) == (False, True)
    assert sum(option.cheapest_probability for option in table.options) == 1


def test_remarks_are_told_with_the_title_of_their_option():
    found = {**document(), "remarks": [{"option": "own", "kind": "continuous batching", "text": "It does not fit."}]}
    (remark,) = table_of(found).remarks
    assert (remark.option, remark.kind, remark.text) == ("Own replicas", "continuous batching", "It does not fit.")
    assert table_of(document()).remarks == ()


def test_a_single_option_is_not_called_the_lowest():
    assert not any(cell.is_least for row in table_of(document("own")).rows for cell in row.cells)


def test_a_certain_zero_gets_no_row_and_a_certain_metric_no_bounds():
    names = [row.name for row in table_of(document("api")).rows]
    assert "training_cost_usd" not in names
    assert "exit_cost_usd" in names
    exit_cost = next(row for row in table_of(document("api")).rows if row.name == "exit_cost_usd").cells[0].metric
    assert (exit_cost.value, exit_cost.lower, exit_cost.upper) == (Decimal("4000.00"), None, None)


def test_what_has_no_end_is_no_metric():
    assert metric_of("tco_usd", {"unit": "USD", "p10": "1", "p50": "2", "p80": "3", "p90": None}) is None
    unserved = document(limit_s=0.36)
    assert unserved["options"][0]["metrics"]["total_cost_1y_usd"]["p90"] is None
    total = next(row for row in table_of(unserved).rows if row.name == "total_cost_1y_usd")
    assert total.cells[0].metric is None


def test_parts_show_the_lines_that_are_something_with_their_terms():
    own = table_of(document()).options[0]
    assert [part.name for part in own.parts] == ["training", "serving", "exit", "tco"]
    ((compute, terms),) = own.parts[0].lines
    assert (compute["name"], compute["usd"]) == ("compute", "353.55")
    assert dict(terms)["usd_per_gpu_h"] == "2.5"
    assert own.parts[0].total_usd == "353.55"
    assert own.lock_in["switch_probability"] == 0.1


def test_swings_are_drawn_on_one_scale():
    swings = table_of(document()).options[0].swings
    assert swings[0].length >= swings[-1].length > 0
    assert all(swing.start >= 0 and swing.start + swing.length <= 100.01 for swing in swings)
    assert table_of(document("api")).options[0].swings[0].name == "requests per year"


def test_the_rest_of_the_table():
    table = table_of(document())
    ((name, above, shares),) = table.thresholds
    assert (name, above, len(shares)) == ("First year, all in", 10_000, 2)
    first = table.prices[0]
    assert (first.usd, first.unit, str(first.as_of), first.source, first.name) == (
        Decimal("2.5"),
        "gpu_h",
        "2026-09-01",
        "a quote of September 2026",
        "",
    )
    assert first.use == "Own replicas, training"
    assert table.document == document()


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("options[0].serving.usd_per_replica_h", "Ours, serving"),
        ("options[1].serving.prices.cache_read_usd", "Theirs, serving, cache read"),
        ("options[1].serving.prices.input_usd[2]", "Theirs, serving, input"),
        ("openai/gpt-4.1 cache_read", "openai/gpt-4.1 cache_read"),
    ],
)
def test_a_price_is_named_by_what_it_is_for(item, words):
    assert price_use(item, titles=("Ours", "Theirs")) == words


def test_without_swings_there_are_no_bars():
    said = document("api")
    still = {**said, "options": [{**said["options"][0], "tornado": {}}]}
    assert table_of(still).options[0].swings == ()


def test_moves_are_those_of_the_p50():
    before, after = document("own"), as_document(project(read_spec(cost_spec(only="own"), shipped_book())))
    found = {move.metric: move for move in moves_of(changes(before, after), after)}
    assert "inference_cost_1y_usd" not in found  # the exit differs, serving does not
    leaving = found["exit_cost_usd"]
    assert (leaving.option, leaving.unit, leaving.before, leaving.after, leaving.share) == (
        "own",
        "USD",
        Decimal("4000.00"),
        Decimal("0.00"),
        Decimal("-1.0"),
    )
    assert {move.metric: move.share for move in moves_of(changes(after, before), before)}["exit_cost_usd"] is None
    assert moves_of({}, after) == ()
