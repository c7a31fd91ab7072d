"""Quality may be an error, of which less is better: no choice, word or picture takes more of it for better."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import weighbridge
from tests.unit.toolkit.cli.test_cli import weighbridge as typed
from tests.unit.toolkit.tradeoff.builders import candidate, candidates
from weighbridge.core.errors import Invalid
from weighbridge.quality.metrics.registry import find_metric, registered_tasks
from weighbridge.tradeoff.axes import Axis, AxisDirection, axis_of, bounds_of, default_axes, is_share
from weighbridge.tradeoff.decision import decide
from weighbridge.tradeoff.recommendation import recommend
from weighbridge.tradeoff.requirements import Requirements, limits_of
from weighbridge.tradeoff.sheets.recommendation_page import page_of

GOOD = candidate("good", mae=(1.0, 0.1), latency_p95_ms=(5, 0.1), model_size_mb=9)
QUICK = candidate("quick", mae=(1.2, 0.1), latency_p95_ms=(1, 0.1), model_size_mb=2)
BAD = candidate("bad", mae=(9.0, 0.1), latency_p95_ms=(3, 0.1), model_size_mb=3)
ERROR = Requirements(quality="mae", direction=AxisDirection.MIN)


def test_the_model_with_the_least_error_is_the_best():
    found = recommend(candidates(GOOD, QUICK, BAD), ERROR)
    assert found.winner == "good"
    assert "good is the best of them in mean absolute error: 1 (0.9 to 1.1)." in found.why
    assert "No candidate is better in mean absolute error." in found.costs
    near = recommend(candidates(GOOD, QUICK, BAD), dataclasses.replace(ERROR, margin=0.5))
    assert (near.winner, near.decision.race.good) == ("quick", (GOOD, QUICK))
    assert "Within the margin of 0.5: quick." in near.why[1]
    assert near.costs[0].startswith("good has 0.2 less mean absolute error, at p95 latency 5")
    assert "With a margin of 0.1999 instead of 0.5, good would be taken." in near.changes
    assert "If mean absolute error at most 1.199 were demanded, good would be taken." in near.changes


def test_pages_draw_less_error_as_better():
    page = page_of(candidates(GOOD, QUICK, BAD), ERROR, title="Which")
    rows = {row[0]: row[1:] for row in page.tables[0][1].rows}
    assert (rows["good"][-1], rows["bad"][-1]) == ("chosen", "more mean absolute error")
    # Slower and larger than the others, it is on the frontier for its small error alone.
    assert (rows["good"][-2], rows["bad"][-2]) == ("frontier", "dominated")


@given(
    shares=st.lists(st.integers(0, 100), min_size=2, max_size=6),
    times=st.lists(st.integers(1, 9), min_size=6, max_size=6),
    margin=st.integers(0, 30),
)
def test_an_error_and_what_is_left_of_it_give_the_same_choice(shares, times, margin):
    """Accuracy, and its complement as an error rate, must recommend the same model."""
    pairs = list(enumerate(zip(shares, times, strict=False)))
    right = [candidate(str(place), accuracy=share / 128, latency_p95_ms=time) for place, (share, time) in pairs]
    wrong = [candidate(str(place), miss=1 - share / 128, latency_p95_ms=time) for place, (share, time) in pairs]
    one = decide(candidates(*right), Requirements(margin=margin / 128))
    other = decide(candidates(*wrong), Requirements(quality="miss", margin=margin / 128, direction=AxisDirection.MIN))
    assert [each.name for each in one.race.good] == [each.name for each in other.race.good]
    assert one.winner.name == other.winner.name


@pytest.mark.parametrize("name", sorted(registered_tasks()))
def test_every_registered_metric_has_its_direction(name):
    plain = name.removesuffix("@k") if name != "miou@k" else "miou@1"
    better = AxisDirection.MAX if find_metric(plain).is_higher_better else AxisDirection.MIN
    assert axis_of(plain) == Axis(plain, better)
    assert bounds_of(plain) == find_metric(plain).bounds


def test_own_metrics_say_which_direction_is_better():
    assert axis_of("shop.metrics:cost:min") == Axis("shop.metrics:cost", AxisDirection.MIN)
    assert axis_of("energy_per_query_j").direction is AxisDirection.MIN
    for unknown in ("shop.metrics:cost", "nothing", "accuracy:up"):
        with pytest.raises(Invalid, match=r"write .*:min or .*:max"):
            axis_of(unknown)
    assert (is_share("accuracy"), is_share("mae"), is_share("miss")) == (True, False, False)
    assert limits_of(["ndcg@10>=0.5", "shop.metrics:cost<=3"])[1].metric == "shop.metrics:cost"


def test_a_margin_is_in_the_unit_of_quality():
    assert Requirements(quality="mae", margin=25, direction=AxisDirection.MIN).margin == 25
    for margin in (-1, float("inf"), float("nan")):
        with pytest.raises(Invalid, match="in the unit of mean absolute error"):
            Requirements(quality="mae", margin=margin, direction=AxisDirection.MIN)


def test_nothing_that_cannot_be_is_demanded():
    perfect = candidate("perfect", accuracy=1.0, latency_p95_ms=2)
    found = recommend(candidates(perfect, candidate("other", accuracy=0.5, latency_p95_ms=1)), Requirements())
    assert not [text for text in found.changes if "accuracy at least 1.0" in text]


def test_a_quality_that_nobody_has_is_refused_rather_than_left_out():
    """Otherwise the fastest model would be taken, whatever it answers."""
    with pytest.raises(Invalid, match="No candidate has the metric 'accuracy': they have mae") as refusal:
        recommend(candidates(GOOD, BAD), Requirements())
    assert refusal.value.field == "quality"
    timed = candidates(candidate("a", latency_p95_ms=1), candidate("b", latency_p95_ms=2))
    with pytest.raises(Invalid, match="'f1_macro': no quality was measured"):
        recommend(timed, Requirements(quality="f1_macro"))
    # Who measured no quality at all, and asked for none, compares speed.
    assert recommend(timed, Requirements()).winner == "a"


def test_the_command_knows_the_direction(tmp_path):
    file = tmp_path / "c.json"
    file.write_text(json.dumps(candidates(GOOD, BAD).as_document()))
    done = typed("recommend", file, "--quality", "mae")
    assert (done.exit_code, done.stdout.splitlines()[0]) == (0, "Take good.")
    assert weighbridge.recommend(str(file), quality="mae:max")["winner"] == "bad"
    shown = typed("pareto", file)
    assert "mean absolute error" in shown.stdout
    assert default_axes(["latency_p95_ms", "r2", "mae"]) == ("r2", "latency_p95_ms")
    assert default_axes([]) == ("accuracy", "latency_p95_ms", "model_size_mb")
