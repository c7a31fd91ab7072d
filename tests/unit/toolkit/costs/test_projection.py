"""Projections: metrics by hand at the middle, pairs of draws, and a document in which every amount adds up."""

import json
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.refusals import has_code
from tests.unit.toolkit.costs.specs import BOOK, TODAY, at_path, small, template
from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Invalid
from weighbridge.costs.metrics import METRICS, exact_sum, money
from weighbridge.costs.prices.files.snapshot import read_snapshot, replay
from weighbridge.costs.prices.shipped import shipped_book
from weighbridge.costs.projection import project
from weighbridge.costs.projection_document import as_document
from weighbridge.costs.spec.spec_file import read_spec


@pytest.fixture(scope="module")
def projection():
    return project(read_spec(template(), shipped_book(TODAY)), draws=400)


@pytest.fixture(scope="module")
def document(projection):
    return as_document(projection)


def metrics_of(spec, option):
    return {name: float(value) for name, value in project(spec).of(option).middle.metrics.items()}


def test_two_small_options_by_hand():
    spec = read_spec(small(), BOOK)
    years = 1.08**-0.5 + 1.08**-1.5 + 1.08**-2.5
    assert metrics_of(spec, "api") == pytest.approx(
        {
            "training_gpu_hours": 0,
            "training_cost_usd": 0,
            "inference_cost_1y_usd": 1_000,
            "upkeep_1y_usd": 0,
            "total_cost_1y_usd": 1_000,
            "cost_per_1k_usd": 1,
            "cost_per_1k_loaded_usd": 1,
            "tco_usd": 1_000 * years,
            "equivalent_annual_usd": 1_000,
            "exit_cost_usd": 0,
        }
    )
    replica = 0.096 * 8_760  # one is always enough
    assert metrics_of(spec, "own") == pytest.approx(
        {
            "training_gpu_hours": 0,
            "training_cost_usd": 0,
            "inference_cost_1y_usd": replica,
            "upkeep_1y_usd": 0,
            "total_cost_1y_usd": replica,
            "cost_per_1k_usd": replica / 1_000,
            "cost_per_1k_loaded_usd": replica / 1_000,
            "tco_usd": 100 + replica * years,
            "equivalent_annual_usd": 100 / years + replica,
            "exit_cost_usd": 0,
        }
    )
    assert project(spec).cheapest("tco_usd") == {"api": 0.0, "own": 1.0}
    with pytest.raises(Invalid, match="the options are api, own"):
        project(spec).of("third")


def test_retraining_and_a_parallel_run_cost_what_they_repeat():
    document = small(people={"engineer_usd_per_h": 100, "fte_usd": 1_000}, horizon={"years": 1, "discount_rate": 0})
    document["options"][1] |= {
        "training": {
            "gpu_hours": 10,
            "labeling_usd": 7,
            "engineer_hours": 2,
            "usd_per_gpu_h": {"usd": 2, "unit": "gpu_h", "as_of": "2026-09-01", "source": "a page"},
        },
        "ownership": {"development_usd": 100, "retrainings_per_year": 4, "maintenance_fte": 0.5},
        "lock_in": {"parallel_months": 6, "code_hours": 3, "switch_probability": 0.5},
    }
    found = metrics_of(read_spec(document, BOOK), "own")
    replica = 0.096 * 8_760
    assert found["training_cost_usd"] == pytest.approx(20 + 7 + 200)
    assert found["upkeep_1y_usd"] == pytest.approx(4 * 27 + 500)
    assert found["exit_cost_usd"] == pytest.approx(replica / 2 + 300)
    assert found["tco_usd"] == pytest.approx(100 + 227 + replica + 608 + (replica / 2 + 300) / 2)
    stated = at_path(document, ("options", 1, "ownership", "retraining_usd"), 5)
    stated = at_path(stated, ("options", 1, "lock_in", "parallel_usd_per_month"), 10)
    found = metrics_of(read_spec(stated, BOOK), "own")
    assert found["upkeep_1y_usd"] == pytest.approx(4 * 5 + 500)
    assert found["exit_cost_usd"] == pytest.approx(60 + 300)


def test_work_and_own_hardware_make_the_training_metrics():
    document = small()
    document["options"][1] |= {
        "training": {"trials": 1},
        "work": {"kind": "pilot", "samples": 3_600, "epochs": 10, "samples_per_gpu_s": 1},
        "owned_hardware": {
            "value_at_start_usd": 0,
            "power_kw": 0.5,
            "usd_per_kwh": 0.2,
            "pue": 1.0,
            "interconnect_share": 0.0,
        },
    }
    found = metrics_of(read_spec(document, BOOK), "own")
    assert found["training_gpu_hours"] == pytest.approx(20)
    assert found["training_cost_usd"] == pytest.approx(20 * 0.1)


@pytest.mark.parametrize(
    ("serving", "usd"),
    [
        (
            {
                "kind": "serverless",
                "memory_gb": 2,
                "duration_s": 0.05,
                "usd_per_gb_s": {"usd": "0.00002", "unit": "gb_s", "as_of": "2026-09-01", "source": "a page"},
            },
            2.0,
        ),
        (
            {
                "kind": "provisioned",
                "tokens_per_request": 100,
                "tokens_per_minute_per_unit": 1_000_000,
                "usd_per_unit_h": {"usd": 2, "unit": "instance_h", "as_of": "2026-09-01", "source": "a page"},
            },
            2 * 8_760,
        ),
        (
            {
                "kind": "endpoint",
                "replicas": {"service_s": 0.01, "limit_s": 0.2, "usd_per_replica_h": {"sku": "aws/us-east-1/m5.large"}},
            },
            2 * 0.096 * 8_760,
        ),
    ],
)
def test_every_kind_of_serving_is_projected(serving, usd):
    spec = read_spec(at_path(small(), ("options", 1, "serving"), serving), BOOK)
    assert metrics_of(spec, "own")["inference_cost_1y_usd"] == pytest.approx(usd)


def test_adding_an_option_moves_no_other(projection):
    alone = template()
    alone["options"] = alone["options"][:1]
    single = project(read_spec(alone, shipped_book(TODAY)), draws=400)
    for name in METRICS:
        assert (single.of("api").metrics[name] == projection.of("api").metrics[name]).all()


def test_what_is_shared_is_drawn_once_for_all(projection):
    first, second = (each.drawn.requests_per_year for each in projection.options)
    assert (first == second).all()
    assert len(np.unique(first)) == 400
    again = project(projection.spec, draws=400)
    assert (again.of("own").metrics["tco_usd"] == projection.of("own").metrics["tco_usd"]).all()
    other = project(projection.spec, draws=400, seed=1)
    assert (other.of("own").metrics["tco_usd"] != projection.of("own").metrics["tco_usd"]).any()


def test_the_probabilities_of_being_cheapest_add_up(projection):
    for metric in ("tco_usd", "total_cost_1y_usd"):
        assert sum(projection.cheapest(metric).values()) == pytest.approx(1)
    assert (projection.of("own").metrics["training_gpu_hours"] > 0).all()


def test_two_equal_options_are_cheapest_half_the_time_each():
    document = small()
    document["options"][1] = {**document["options"][0], "id": "twin"}
    assert project(read_spec(document, BOOK)).cheapest("tco_usd") == {"api": 0.5, "twin": 0.5}


def test_every_amount_of_the_document_adds_up_to_the_cent(document):
    for option in document["options"]:
        for part in option["parts"].values():
            assert part["total_usd"] == str(sum((Decimal(line["usd"]) for line in part["lines"]), Decimal("0.00")))
            assert all(line["formula"] and line["terms"] for line in part["lines"])
        levels = option["metrics"]["tco_usd"]
        assert Decimal(levels["p10"]) < Decimal(levels["p50"]) < Decimal(levels["p80"]) < Decimal(levels["p90"])
        assert set(option["metrics"]) == set(METRICS)


def test_money_is_text_and_everything_is_json(document):
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    without = {key: value for key, value in document.items() if key != "digest"}
    assert document["digest"] == digest_of(without)
    assert [threshold["metric"] for threshold in document["thresholds"]] == ["total_cost_1y_usd", "training_gpu_hours"]
    assert "2026-07-20" in {price["as_of"] for price in document["prices"]}
    pinned = read_snapshot(document["pinned"])
    assert {price.sku for price in pinned.prices} == {price["sku"] for price in document["prices"]}
    assert replay(pinned, shipped_book(TODAY)).moved == ()
    assert document["options"][0]["lock_in"]["forced_migration"] == "2027-10-01"
    assert document["options"][0]["quality"]["recall"] == 0.76
    assert document["kpis"][0]["metric"] == "recall"


def test_the_widest_swing_comes_first_and_names_its_input(document):
    swings = document["options"][0]["tornado"]["tco_usd"]
    sizes = [abs(Decimal(swing["at_p90_usd"]) - Decimal(swing["at_p10_usd"])) for swing in swings]
    assert sizes == sorted(sizes, reverse=True)
    assert swings[0]["input"] == "requests_per_year"
    assert "serving.input_tokens" in {swing["input"] for swing in swings}


def test_a_load_that_nothing_serves_is_refused_with_the_option():
    with pytest.raises(Invalid, check=has_code("load_unserved")) as refused:
        project(read_spec(at_path(small(), ("options", 1, "serving", "service_s"), 0.19), BOOK))
    assert refused.value.field == "options[1].serving.limit_s"


def test_draws_that_nothing_serves_have_no_amount_and_are_counted():
    spec = read_spec(at_path(small(), ("options", 1, "serving", "service_s"), [0.03, 0.12]), BOOK)
    own = as_document(project(spec))["options"][1]
    metric = own["metrics"]["inference_cost_1y_usd"]
    assert metric["p90"] is None
    assert metric["middle"] == "840.96"
    assert 0.1 < metric["unserved_probability"] < 0.5
    assert own["tornado"]["tco_usd"][0] == {
        "input": "serving.service_s",
        "at_p10_usd": own["metrics"]["tco_usd"]["middle"],
        "at_p90_usd": None,
    }


def test_two_options_that_may_both_be_too_slow_are_compared_where_they_can_be():
    document = at_path(small(), ("options", 1, "serving", "service_s"), [0.03, 0.12])
    document["options"][0] = {**document["options"][1], "id": "other", "ownership": {"development_usd": 5_000}}
    for option in document["options"]:
        option["quality"] = {"kind": "level", "metric": 0.3, "source": "a log"}
    document["value"] = {"baseline": "other", "stakes": {"kind": "deflection", "usd_per_contact": 2}}
    found = as_document(project(read_spec(document, BOOK)))
    assert sum(found["cheapest"]["tco_usd"].values()) == pytest.approx(1)
    assert found["crossover"]["pairs"][0]["cheaper_at"][0] < 0.5
    assert found["worth"][1]["extra_cost_usd"]["p10"] is None


@settings(deadline=None, max_examples=20)
@given(st.floats(1, 50), st.sampled_from(["fee", "volume", "replica"]))
def test_dearer_or_more_never_costs_less(factor, what):
    document = small()
    api, own = document["options"]
    if what == "fee":
        api["serving"]["fee_usd"]["usd"] *= factor
    if what == "replica":
        own["serving"]["usd_per_replica_h"]["factor"] = factor
    if what == "volume":
        document["load"]["requests_per_year"] *= factor
    before, after = project(read_spec(small(), BOOK)), project(read_spec(document, BOOK))
    for option in ("api", "own"):
        for name in ("inference_cost_1y_usd", "total_cost_1y_usd", "tco_usd"):
            assert (after.of(option).metrics[name] >= before.of(option).metrics[name] - 1e-9).all()


def test_money_is_rounded_half_to_even_and_has_no_exponent():
    assert [money(value) for value in (0.125, 0.135, 1e15, float("inf"), float("nan"))] == [
        "0.12",
        "0.14",
        "1000000000000000.00",
        None,
        None,
    ]
    assert money(0.0000125, 6) == "0.000012"
    assert exact_sum(["0.10", "0.20"]) == "0.30"
    assert exact_sum(["0.10", None]) is None
    assert exact_sum([]) == "0.00"
