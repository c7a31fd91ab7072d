"""The spec file: what it says is read exactly, and what it may not say is refused with the path of the fault."""

import pytest

from tests.unit.toolkit.costs.specs import BOOK, TODAY, at_path, small, template
from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.shipped import shipped_book
from weighbridge.costs.spec.spec_file import read_spec
from weighbridge.costs.uncertainty import Range
from weighbridge.costs.value.answer_quality import Confusion, Detection, QualityChange

OPTION = ("options", 1, "serving")
PRICE = (*OPTION, "usd_per_replica_h")
OWN_PRICE = {"usd": 0.5, "unit": "instance_h", "as_of": "2026-09-01", "source": "a page"}


def test_the_template_is_read_with_the_shipped_prices():
    spec = read_spec(template(), shipped_book(TODAY))
    assert [option.id for option in spec.options] == ["api", "own"]
    assert read_spec(template(), shipped_book(TODAY.replace(year=TODAY.year + 2))).options, "nor does it expire soon"
    assert spec.shared.requests_per_year == Range(1.5e9, 2.5e9)
    assert spec.curve.requests_per_year == pytest.approx(spec.requests_median)
    assert spec.options[1].serving.service_s == Range(0.1, 0.14)
    assert spec.options[1].serving.usd_per_replica_h == 1.006
    assert spec.options[1].training.usd_per_gpu_h == pytest.approx(21.957642 / 8)
    assert spec.options[0].lock_in.scores.out_of_100 == 42  # (2 + 4 + 3 + 3 + 2 + 2 - 6) / 24
    assert isinstance(spec.options[0].quality, Confusion)
    assert isinstance(spec.options[1].quality, QualityChange)
    assert isinstance(spec.value.stakes, Detection)
    assert [pin.path for pin in spec.pins] == [
        "options[0].serving.prices.input_usd",
        "options[0].serving.prices.output_usd",
        "options[1].training.usd_per_gpu_h",
        "options[1].serving.usd_per_replica_h",
        "options[1].serving.committed_usd_per_h",
        *(f"options[1].ownership.egress_tiers[{n}]" for n in range(5)),
    ]
    assert (spec.seed, spec.draws, spec.snapshot) == (20_260_101, 10_000, shipped_book(TODAY).snapshot_id)
    assert spec.kpis[0].owner == "head of payments"


def test_what_is_not_said_has_its_usual_value():
    spec = read_spec(small(), BOOK)
    assert spec.options[0].title == "api"
    assert (spec.shared.years, spec.shared.discount_rate, spec.shared.fte_usd) == (3, 0.08, 0.0)
    assert spec.value is None
    assert spec.requests_median == 1_000_000
    assert spec.pins[1].migrate_by.isoformat() == "2027-10-01"


def test_counts_give_the_curve_and_the_requests():
    spec = read_spec(small(load={"hourly_counts": [3_600] * 23 + [36_000]}), BOOK)
    assert spec.curve.peak_per_s == 10
    assert spec.requests_median == pytest.approx((23 * 3_600 + 36_000) * 365)
    twice = read_spec(small(load={"hourly_counts": [3_600] * 24, "requests_per_year": 2 * 3_600 * 8_760}), BOOK)
    assert twice.curve.peak_per_s == 2


@pytest.mark.parametrize(
    ("path", "value", "field", "words"),
    [
        (("kind",), "Spec", "kind", "must be CostSpec"),
        (("currency",), "EUR", "currency", "must be USD"),
        (("surprise",), 1, "surprise", "is unknown"),
        (("draws",), 200_000, "draws", "at most 100,000"),
        (("draws",), 10, "draws", "100 or more"),
        (("max_price_age_days",), 30, "options[0].serving.fee_usd.as_of", "at most 30 are accepted"),
        (("options",), [], "options", "1 to 12 options"),
        (("options", 1, "id"), "api", "options[1].id", "repeats 'api'"),
        (("load",), {}, "load.requests_per_year", "is missing"),
        (("load", "requests_per_year"), -5, "load.requests_per_year", "positive"),
        (("load", "requests_per_year"), 0, "load.requests_per_year", "positive"),
        (("load", "requests_per_year"), [0, 2], "load.requests_per_year", "above zero, at both ends"),
        (("people",), {"fte_usd": [-1, 2]}, "people.fte_usd", "two numbers of 0 or more"),
        (("load", "requests_per_year"), [5, 2], "load.requests_per_year", "the smaller first"),
        (("load", "requests_per_year"), [1, 2, 3], "load.requests_per_year", "must be a number like"),
        (("load", "requests_per_year"), ["a", 3], "load.requests_per_year", "a range of two numbers"),
        (("load", "requests_per_year"), [True, 3], "load.requests_per_year", "a range of two numbers"),
        (("load", "requests_per_year"), "many", "load.requests_per_year", "must be a number"),
        (("load", "day_swing"), 2, "load.day_swing", "between 0"),
        (("load", "monthly_growth"), -1, "load.monthly_growth", "Monthly growth must be above"),
        (("load", "hourly_counts"), "none", "load.hourly_counts", "more hourly request counts"),
        (("load", "hourly_counts"), ["a"] * 24, "load.hourly_counts", "more hourly request counts"),
        (("load", "hourly_counts"), [1] * 5, "load.hourly_counts", "at least 24 hourly counts"),
        (("people",), {"fte_usd": -1}, "people.fte_usd", "0 or more"),
        (("horizon",), {"years": 40}, "horizon.years", "1 to 30 years"),
        (("horizon",), {"discount_rate": 2}, "horizon.discount_rate", "between -0.5 and 1"),
        ((*OPTION, "kind"), "cloud", "options[1].serving.kind", "must be one of self-hosted"),
        ((*OPTION, "service_s"), -0.1, "options[1].serving.service_s", "zero or more"),
        ((*OPTION, "service_ms"), 10, "options[1].serving.service_ms", "is unknown"),
        ((*OPTION, "limit_s"), None, "options[1].serving.limit_s", "is missing"),
        ((*OPTION, "volume"), 2, "options[1].serving.volume", "is unknown"),
        (("options", 1, "serving"), None, "options[1].serving", "is missing; its kind must be one of"),
        (
            ("options", 1, "work"),
            {"kind": "pilot", "samples": 1, "epochs": 1, "samples_per_gpu_s": 1},
            "options[1].training",
            "is missing, but",
        ),
        (
            ("thresholds",),
            [{"metric": "cost", "above": 1}],
            "thresholds[0].metric",
            "must be one of training_gpu_hours",
        ),
        (PRICE, 0.096, "options[1].serving.usd_per_replica_h", "a plain number has no date and no source"),
        (PRICE, {"sku": "aws/us-east-1/m5.larg"}, "options[1].serving.usd_per_replica_h.sku", "m5.large"),
        (
            PRICE,
            {"sku": "aws/us-east-1/m5.large", "term": "spot"},
            "options[1].serving.usd_per_replica_h.term",
            "on_demand",
        ),
        (
            PRICE,
            {"sku": "aws/us-east-1/m5.large", "factor": -1},
            "options[1].serving.usd_per_replica_h.factor",
            "0 or more",
        ),
        (
            PRICE,
            {"sku": "aws/us-east-1/m5.large", "divided_by": 0},
            "options[1].serving.usd_per_replica_h.divided_by",
            "above zero",
        ),
        (PRICE, {"amount": 3}, "options[1].serving.usd_per_replica_h.usd", "is missing: give a SKU"),
        (
            PRICE,
            {**OWN_PRICE, "unit": "month"},
            "options[1].serving.usd_per_replica_h.unit",
            "must be instance_h, not month",
        ),
        (PRICE, {**OWN_PRICE, "currency": "EUR"}, "options[1].serving.usd_per_replica_h.currency", "one currency"),
        (PRICE, {**OWN_PRICE, "usd": -1}, "options[1].serving.usd_per_replica_h.usd", "0 or more"),
        (PRICE, {**OWN_PRICE, "as_of": "soon"}, "options[1].serving.usd_per_replica_h.as_of", "a date like"),
        (PRICE, {**OWN_PRICE, "as_of": "2025-01-01"}, "options[1].serving.usd_per_replica_h.as_of", "at most 180"),
        (
            PRICE,
            {"usd": 1, "as_of": "2026-09-01", "source": "x"},
            "options[1].serving.usd_per_replica_h.unit",
            "is missing",
        ),
        (
            PRICE,
            {"usd": 1, "unit": "instance_h", "as_of": "2026-09-01"},
            "options[1].serving.usd_per_replica_h.source",
            "is missing",
        ),
    ],
)
def test_what_may_not_be_said_is_refused_with_its_path(path, value, field, words):
    with pytest.raises(Invalid) as refused:
        read_spec(at_path(small(), path, value), BOOK)
    assert refused.value.field == field
    assert words in refused.value.reason


def test_a_price_of_the_book_that_has_grown_old_is_refused():
    with pytest.raises(Invalid, match="days before 2026-11-25") as refused:
        read_spec(small(max_price_age_days=100), BOOK)
    assert refused.value.field == "options[1].serving.usd_per_replica_h.as_of"
    assert refused.value.code == "stale_price"


def trained(price, **more):
    return at_path(small(), ("options", 1, "training"), {"gpu_hours": 8, "usd_per_gpu_h": price, **more})


def test_a_gpu_is_its_share_of_the_machine_unless_told_otherwise():
    def price_of(price):
        return read_spec(trained(price), BOOK).options[1].training.usd_per_gpu_h

    assert price_of({"sku": "aws/us-east-1/p4d.24xlarge"}) == pytest.approx(2.74470525)
    assert price_of({"sku": "aws/us-east-1/p4d.24xlarge", "divided_by": 4}) == pytest.approx(5.4894105)
    spot = price_of({"sku": "aws/us-east-1/p4d.24xlarge", "factor": [0.4, 0.6]})
    assert (spot.low, spot.high) == pytest.approx((1.0978821, 1.64682315))
    assert price_of({"usd": [2, 3], "unit": "gpu_h", "as_of": TODAY, "source": "x", "factor": 0.5}) == Range(1.0, 1.5)
    assert price_of({"usd": 2, "unit": "gpu_h", "as_of": TODAY, "source": "x", "currency": "USD", "factor": 0}) == 0.0


@pytest.mark.parametrize(
    ("price", "field", "words"),
    [
        ({"sku": "aws/us-east-1/m5.large"}, "divided_by", "only a fraction of a GPU"),
        ({"sku": "aws/us-east-1/disk"}, "sku", "is priced per gb_month, but must be per gpu_h"),
    ],
)
def test_what_is_no_price_of_a_gpu_is_refused(price, field, words):
    from tests.unit.toolkit.costs.specs import price as made
    from weighbridge.costs.prices.price import PriceUnit

    book = BOOK.with_prices([made("aws/us-east-1/disk", "0.1", unit=PriceUnit.GB_MONTH)])
    with pytest.raises(Invalid, match=words) as refused:
        read_spec(trained(price), book)
    assert refused.value.field == f"options[1].training.usd_per_gpu_h.{field}"


def test_work_and_own_hardware_stand_in_for_hours_and_prices():
    document = at_path(small(), ("options", 1, "training"), {"trials": 2})
    document["options"][1]["work"] = {"kind": "pilot", "samples": 1, "epochs": 1, "samples_per_gpu_s": 1}
    document["options"][1]["owned_hardware"] = {"value_at_start_usd": 1, "power_kw": 1, "usd_per_kwh": 0.1}
    option = read_spec(document, BOOK).options[1]
    assert option.work.samples_per_gpu_s == 1
    assert option.owned_hardware.pue == 1.2


def valued(**value):
    document = template()
    document["value"] = {**document["value"], **value}
    return document


@pytest.mark.parametrize(
    ("document", "field", "words"),
    [
        (valued(baseline="none"), "value.baseline", "must be an option with its own quality"),
        (valued(baseline="own"), "value.baseline", "must be an option with its own quality"),
        (valued(adoption=1.5), "value.adoption", "between 0 and 1"),
        (valued(stakes=None), "value.stakes", "is missing"),
        (valued(stakes={"kind": "forecast", "usd_per_unit_error": 1}), "options[0].quality", "does not match stakes"),
        (
            at_path(template(), ("options", 1, "quality", "metric"), "accuracy"),
            "options[1].quality.metric",
            "accuracy alone does not determine value",
        ),
        (
            at_path(template(), ("options", 1, "quality", "how"), "percent"),
            "options[1].quality.how",
            "points or relative",
        ),
        (
            at_path(template(), ("options", 0, "lock_in", "scores", "knowledge"), 6),
            "options[0].lock_in.scores.knowledge",
            "1 .free to leave. to 5",
        ),
    ],
)
def test_values_that_value_nothing_are_refused(document, field, words):
    with pytest.raises(Invalid, match=words) as refused:
        read_spec(document, shipped_book(TODAY))
    assert refused.value.field == field


def test_a_range_may_be_written_by_its_ends():
    spec = read_spec(small(load={"requests_per_year": {"low": 1e6, "high": "2e6"}}), BOOK)
    assert spec.shared.requests_per_year == Range(1e6, 2e6)


def test_tiers_are_read_one_by_one():
    leaving = {"egress_gb": 500, "egress_tiers": [{"usd_per_gb": 0, "up_to_gb": 100}, {"usd_per_gb": 0.09}]}
    option = read_spec(at_path(small(), ("options", 1, "lock_in"), leaving), BOOK).options[1]
    assert [tier.up_to_gb for tier in option.lock_in.egress_tiers] == [100, None]
    worse = {**leaving, "egress_tiers": [{"usd_per_gb": 0, "up_to": 100}]}
    with pytest.raises(Invalid) as refused:
        read_spec(at_path(small(), ("options", 1, "lock_in"), worse), BOOK)
    assert refused.value.field == "options[1].lock_in.egress_tiers[0].up_to"
