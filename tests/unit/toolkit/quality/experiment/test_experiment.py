"""Experiments: arms from counts and tables, changes with intervals, plans, and what voids them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # noqa: TID253 -- an independent oracle

import weighbridge
from tests.unit.toolkit.cli.test_cli import weighbridge as typed
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.standard import STANDARD
from weighbridge.quality.experiment.arms import Arm, Arms, arms_of_counts
from weighbridge.quality.experiment.changes import absolute_change, anytime_interval, fixed_interval, relative_change
from weighbridge.quality.experiment.planning import sample_ratio_p, units_needed

COUNTS = {"control": "1000/20000", "treatment": "1100/20100"}
RNG = np.random.default_rng(20_261_129)
OUTCOMES = np.round(RNG.lognormal(1, 0.5, 600), 2)
BEFORE = OUTCOMES + RNG.normal(0, 1, 600)
UNITS = {"unit": [f"u{row}" for row in range(600)], "arm": ["control", "treatment"] * 300, "outcome": OUTCOMES}


def refused(words, *given, **options):
    with pytest.raises(Invalid, match=words) as refusal:
        weighbridge.experiment(*given, **options)
    return refusal.value.field


def ends(entry):
    return entry["value"], entry["lower"], entry["upper"]


def test_counts_give_the_change_of_a_share():
    found = weighbridge.experiment(**COUNTS, detect=0.02)
    share, other = 1100 / 20100, 0.05
    change = found["changes"]
    assert change["absolute"]["fixed"]["value"] == pytest.approx(share - other)
    assert change["relative"]["fixed"]["value"] == pytest.approx(share / other - 1)
    # Katz's interval of a ratio, and Welch's of a difference, with the normal quantile in the place of Student's.
    error = math.sqrt((1 - share) / (20100 * share) + (1 - other) / (20000 * other))
    bounds = [math.exp(math.log(share / other) + side * 1.96 * error) - 1 for side in (-1, 1)]
    assert ends(change["relative"]["fixed"])[1:] == pytest.approx(bounds, rel=1e-3)
    both = np.concatenate([np.ones(1100), np.zeros(19000)]), np.concatenate([np.ones(1000), np.zeros(19000)])
    welch = stats.ttest_ind(*both, equal_var=False).confidence_interval(0.95)
    assert ends(change["absolute"]["fixed"])[1:] == pytest.approx(tuple(welch), abs=1e-6)
    assert found["metrics"] == {"business_kpi_delta": change["relative"]["anytime"]}
    assert found["metrics"]["business_kpi_delta"]["unit"] == STANDARD["business_kpi_delta"].unit
    assert found["metrics"]["business_kpi_delta"]["method"] == "asymptotic confidence sequence"
    assert (found["verdict"]["status"], found["missing"]) == ("valid", [])
    assert found["arms"]["treatment"] == {
        "units": 20100,
        "mean": share,
        "variance": pytest.approx(both[0].var(ddof=1)),
        "total": 1100,
    }
    assert found.rows[0]["metric"] == "business_kpi_delta"
    assert (
        weighbridge.experiment(control=(1000, 20000), treatment=[1100, 20100], detect=0.02).document == found.document
    )


def test_the_confidence_sequence_is_that_of_the_paper():
    """Waudby-Smith and others, theorem 2.2 and the best rho, in the letters of the paper."""
    change = absolute_change(arms_of_counts((500, 5_000), (600, 5_000)))
    alpha, planned = 0.1, 4_000
    rho = math.sqrt((-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / planned)
    n, sigma = 10_000, change.deviation
    half = sigma * math.sqrt(2 * (n * rho**2 + 1) / (n**2 * rho**2) * math.log(math.sqrt(n * rho**2 + 1) / alpha))
    found = anytime_interval(change, 1 - alpha, planned)
    assert (found.lower, found.upper) == pytest.approx((0.02 - half, 0.02 + half))
    # sigma / sqrt(n) is the standard error of the difference of two means.
    assert sigma / math.sqrt(n) == pytest.approx(math.sqrt((0.09 + 0.1056) / 4_999), rel=1e-6)


@given(
    counts=st.tuples(
        st.integers(200, 900), st.integers(1_000, 5_000), st.integers(200, 900), st.integers(1_000, 5_000)
    ),
    planned=st.integers(10, 100_000),
)
def test_many_looks_cost_width_and_the_order_of_arms_is_the_sign(counts, planned):
    arms = arms_of_counts(counts[:2], counts[2:])
    turned = arms_of_counts(counts[2:], counts[:2])
    for of in (absolute_change, relative_change):
        one, many = fixed_interval(of(arms), 0.95), anytime_interval(of(arms), 0.95, planned)
        assert many.lower < one.lower < one.value < one.upper < many.upper
    there, back = (fixed_interval(relative_change(each), 0.95) for each in (arms, turned))
    assert (1 + there.lower) * (1 + back.upper) == pytest.approx(1)
    plain, mirrored = (fixed_interval(absolute_change(each), 0.95) for each in (arms, turned))
    assert plain.lower == pytest.approx(-mirrored.upper)


def test_a_table_of_units_gives_the_change_of_a_mean():
    found = weighbridge.experiment(UNITS)
    control, treatment = OUTCOMES[::2], OUTCOMES[1::2]
    welch = stats.ttest_ind(treatment, control, equal_var=False).confidence_interval(0.95)
    assert ends(found["changes"]["absolute"]["fixed"])[1:] == pytest.approx(tuple(welch), rel=1e-2)
    assert found["changes"]["absolute"]["fixed"]["unit"] == "1"
    assert found["arms"]["control"]["total"] == pytest.approx(control.sum())
    shares = UNITS | {"outcome": (OUTCOMES > 3).astype(int)}
    assert weighbridge.experiment(shares)["changes"]["absolute"]["fixed"]["unit"] == "ratio"


def test_outcomes_of_a_unit_are_added_up_only_if_asked():
    twice = {name: np.concatenate([np.asarray(column)] * 2) for name, column in UNITS.items()}
    words = "600 units have several rows \\(u0, u1, u10, u100, u101 and 595 more\\)"
    assert refused(words, twice) == "unit"
    found = weighbridge.experiment(twice, sum_outcomes=True)
    assert found["arms"]["control"]["mean"] == pytest.approx(2 * OUTCOMES[::2].mean())
    assert found["arms"]["control"]["units"] == 300
    assert found["notes"] == [{"message": "The outcomes of 1,200 rows were added up for 600 units."}]
    with_covariate = weighbridge.experiment(
        twice | {"before": np.tile(BEFORE, 2)}, sum_outcomes=True, covariate="before"
    )
    assert len(with_covariate["notes"]) == 2
    changing = twice | {"before": np.concatenate([BEFORE, BEFORE + 1])}
    assert refused("differs between the rows of a unit", changing, sum_outcomes=True, covariate="before") == "covariate"


def test_a_covariate_from_before_makes_the_interval_narrower():
    before = OUTCOMES + RNG.normal(0, 0.5, 600)
    plain, adjusted = (
        weighbridge.experiment(UNITS),
        weighbridge.experiment(UNITS | {"before": before}, covariate="before"),
    )
    widths = [
        each["changes"]["absolute"]["fixed"]["upper"] - each["changes"]["absolute"]["fixed"]["lower"]
        for each in (plain, adjusted)
    ]
    correlation = np.corrcoef(before, OUTCOMES)[0, 1]
    assert widths[1] / widths[0] == pytest.approx(math.sqrt(1 - correlation**2), rel=0.05)
    assert adjusted["notes"][0]["message"].endswith(f"correlation {correlation:.2f}.")
    # The mean of all units stays.
    means = [sum(arm["total"] for arm in each["arms"].values()) for each in (plain, adjusted)]
    assert means[0] == pytest.approx(means[1])
    flat = weighbridge.experiment(UNITS | {"outcome": np.ones(600), "before": before}, covariate="before")
    assert "correlation 0.00" in flat["notes"][0]["message"]
    assert refused("same for all units", UNITS | {"before": np.ones(600)}, covariate="before") == "covariate"


def test_a_covariate_that_the_experiment_changed_voids_it():
    same = UNITS | {"before": 2 * OUTCOMES + 1}
    assert refused("correlation of 1.0000 with the outcome", same, covariate="before") == "covariate"
    is_treated = np.array(UNITS["arm"]) == "treatment"
    moved = weighbridge.experiment(UNITS | {"before": BEFORE + is_treated}, covariate="before")
    codes = [reason["code"] for reason in moved["verdict"]["reasons"]]
    assert (codes, moved["metrics"], moved["changes"]) == (["experiment.covariate"], {}, {})
    sides = BEFORE[~is_treated], BEFORE[is_treated] + 1
    assert f"p = {stats.ttest_ind(*sides, equal_var=False).pvalue:.1e}" in moved["verdict"]["reasons"][0]["message"]
    rows = [0, 1, 2, 4, 6, 8, 10]
    few = {name: np.array(values)[rows] for name, values in (UNITS | {"before": BEFORE}).items()}
    assert refused("treatment needs at least 2 units", few, covariate="before") == "treatment"
    constant = weighbridge.experiment(UNITS | {"before": np.where(is_treated, 1.0, 0.0)}, covariate="before")
    assert constant["verdict"]["status"] == "invalid"


@pytest.mark.parametrize(("largest", "reasons"), [(50.0, []), (1e4, ["experiment.large_units"])])
def test_a_unit_that_makes_most_of_the_variance_is_named(largest, reasons):
    outcomes = OUTCOMES.copy()
    outcomes[0] = largest
    found = weighbridge.experiment(UNITS | {"outcome": outcomes})
    squares = (outcomes[::2] - outcomes[::2].mean()) ** 2
    is_large = squares.max() / squares.sum() > 0.1
    assert [reason["code"] for reason in found["verdict"]["reasons"]] == (
        ["experiment.large_units"] if is_large else []
    )
    if reasons:
        assert found["verdict"]["status"] == "indicative"
        assert "makes 100% of the variance of the control" in found["verdict"]["reasons"][0]["message"]


@given(control=st.integers(0, 12), treatment=st.integers(0, 12))
def test_a_change_of_shares_stays_between_their_ends(control, treatment):
    found = weighbridge.experiment(control=(control, 12), treatment=(treatment, 12))
    for entry in found["changes"].get("absolute", {}).values():
        assert -1 <= entry["lower"] <= entry["value"] <= entry["upper"] <= 1


def test_a_sample_ratio_mismatch_voids_the_change():
    found = weighbridge.experiment(control="1000/20000", treatment="1100/21100")
    assert (found["verdict"]["status"], found["metrics"], found["changes"]) == ("invalid", {}, {})
    (reason,) = found["verdict"]["reasons"]
    assert reason["code"] == "experiment.sample_ratio"
    assert "51.34% of 41,100 units are treated, where 50.00% were intended" in reason["message"]
    assert found["missing"][0]["message"].startswith("Void: 51.34%")
    expected = stats.binomtest(21_100, 41_100, 0.5).pvalue
    assert found["sample_ratio"]["p_value"] == pytest.approx(expected, rel=0.05)
    intended = weighbridge.experiment(control="1000/20000", treatment="500/10000", share=1 / 3)
    assert intended["verdict"]["status"] == "valid"
    assert sample_ratio_p(arms_of_counts((1, 10), (1, 10)), 0.5) == 1


@pytest.mark.parametrize(
    ("arms", "code", "status"),
    [
        (("9/2000", "20/2000"), "experiment.few_units", "indicative"),
        (("1995/2000", "1900/2000"), "experiment.few_units", "indicative"),
        (("40/90", "40/95"), "experiment.few_units", "indicative"),
        (("0/2000", "0/2000"), "experiment.no_variance", "invalid"),
    ],
)
def test_what_the_arms_are_too_small_for_is_said(arms, code, status):
    found = weighbridge.experiment(control=arms[0], treatment=arms[1])
    assert found["verdict"]["status"] == status
    assert code in {reason["code"] for reason in found["verdict"]["reasons"]}
    assert status != "invalid" or "all equal" in found["missing"][0]["message"]


def test_means_near_zero_have_no_relative_change():
    found = weighbridge.experiment(UNITS | {"outcome": OUTCOMES - OUTCOMES.mean()})
    assert list(found["changes"]) == ["absolute"]
    assert "too close to zero for a relative change" in found["missing"][0]["message"]
    assert found["next_test"]["units_per_arm"] is None
    negative = weighbridge.experiment(UNITS | {"outcome": -OUTCOMES}, detect=0.1)
    assert (negative["metrics"], negative["next_test"]["detectable_relative"]) == ({}, None)
    shown = "\n".join(part for part in negative.parts() if isinstance(part, str))
    assert ("no relative change" in shown, "so many units" in shown) == (True, False)


def test_the_next_test_needs_the_units_that_find_its_change():
    """Power by simulation: so many units find the change in about 80 of 100 tests."""
    control = Arm(1, 0.1, 0.09)
    n = units_needed(control, 0.2, confidence=0.95, power=0.8)
    rng = np.random.default_rng(3)
    hits = rng.binomial(n, [[0.1], [0.12]], (2, 4_000)) / n
    error = np.sqrt((hits * (1 - hits)).sum(axis=0) / n)
    assert np.mean(np.abs(hits[1] - hits[0]) > 1.96 * error) == pytest.approx(0.8, abs=0.04)
    found = weighbridge.experiment(**COUNTS, detect=-0.1)["next_test"]
    assert found["units_per_arm"] == weighbridge.experiment(**COUNTS, detect=0.1)["next_test"]["units_per_arm"]
    again = units_needed(Arm(1, 0.05, 0.0475), found["detectable_relative"], confidence=0.95, power=0.8)
    assert again == pytest.approx(20_000, rel=1e-3)


def test_inputs_that_are_no_experiment_are_refused():
    assert refused("either a table of units, or the counts of both arms") == "units"
    assert refused("either a table", control="1/2") == "units"
    assert refused("either a table", UNITS, **COUNTS) == "units"
    for text in ("10", "a/b", "1/2/3", "1.5/20"):
        assert refused("--control takes successes/units", control=text, treatment="1/20") == "control"
    assert refused("30 successes of 20 units", control="1/20", treatment="30/20") == "treatment"
    assert refused("-1 successes", control="-1/20", treatment="3/20") == "control"
    assert refused("control needs at least 2 units", control="1/1", treatment="3/20") == "control"
    assert refused("treatment needs at least 2 units", control="1/10", treatment="0/0") == "treatment"
    assert weighbridge.experiment(control="1,000/20,000", treatment=" 1100 / 20100 ")["verdict"]["status"] == "valid"
    for setting in ({"confidence": 1}, {"share": 0}, {"power": 1.5}, {"planned_units": 0}, {"detect": 0}):
        assert refused("must", **COUNTS, **setting) == next(iter(setting))


def test_tables_that_are_no_experiment_are_refused():
    assert refused("no column 'arm'", {"unit": [1], "outcome": [1]}) == "arm"
    assert refused("two arms, but there are 1: control", UNITS | {"arm": ["control"] * 600}) == "arm"
    assert refused("two arms, but there are 3", UNITS | {"arm": ["a", "b", "c"] * 200}) == "arm"
    named = UNITS | {"arm": ["old", "new"] * 300}
    assert refused("Name the control with --control-arm; the arms are new, old", named) == "control_arm"
    assert refused("Name the control", named, control_arm="none") == "control_arm"
    assert (
        weighbridge.experiment(named, control_arm="old").document["changes"] == weighbridge.experiment(UNITS)["changes"]
    )
    for arms in (["A", "B"], [0, 1], [False, True], ["Control", "Treatment"]):
        assert (
            weighbridge.experiment(UNITS | {"arm": arms * 300})["changes"] == weighbridge.experiment(UNITS)["changes"]
        )
    assert refused("no value in row 1; state 0", UNITS | {"outcome": [None, *OUTCOMES[1:]]}) == "outcome"
    assert refused("no value in rows 2, 4, 6, 8, 10 and 295 more.", UNITS | {"arm": ["control", None] * 300}) == "arm"
    assert refused("one finite number", UNITS | {"outcome": ["x"] * 600}) == "outcome"
    for name in ("unit", "arm", "outcome"):
        assert refused("must have one value in each row", UNITS | {name: [[1, 2], [3]] * 300}) == name
        assert refused("must have one value in each row", UNITS | {name: [[1], [3]] * 300}) == name
    assert refused("one finite number", UNITS | {"outcome": [np.inf, *OUTCOMES[1:]]}) == "outcome"
    both = UNITS | {"unit": ["u0", "u0", *range(2, 600)]}
    assert refused("1 units are in both arms \\(u0\\)", both, sum_outcomes=True) == "unit"
    lonely = {"unit": [1, 2, 3], "arm": ["control", "control", "treatment"], "outcome": [1, 2, 3]}
    assert refused("treatment needs at least 2 units", lonely) == "treatment"


def test_the_command_prints_the_change_and_exits_with_its_verdict(tmp_path):
    done = typed(
        "experiment",
        "--control",
        "1000/20000",
        "--treatment",
        "1100/20100",
        "--detect",
        "0.02",
        "--json",
        tmp_path / "e.json",
    )
    assert done.exit_code == 0
    for words in (
        "any number of looks",
        "one look at the end",
        "sample ratio: 50.12% treated",
        "needs 7",
        "verdict: valid",
    ):
        assert words in done.stdout
    assert (tmp_path / "e.json").exists()
    void = typed("experiment", "--control", "1000/20000", "--treatment", "1100/21100")
    assert (void.exit_code, "no relative change: Void" in void.stdout) == (1, True)
    (tmp_path / "units.csv").write_text("who,arm,paid\n1,a,0\n2,b,1\n3,a,1\n4,b,-2\n")
    table = typed("experiment", tmp_path / "units.csv", "--unit", "who", "--outcome", "paid")
    assert (table.exit_code, "verdict: indicative" in table.stdout) == (0, True)
    assert typed("experiment").exit_code == 2


def test_arms_are_kept_as_they_are_counted():
    arms = Arms(Arm(10, 0.5, 0.25), Arm(20, 0.5, 0.25), is_share=True)
    assert (arms.n, arms.control.total) == (30, 5)


def test_an_interval_without_an_end_is_refused():
    with pytest.raises(Invalid, match="its interval has no end"):
        anytime_interval(relative_change(arms_of_counts("1000/20000", "1130/20000")), 0.95, 10**15)
