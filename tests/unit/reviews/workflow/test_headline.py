"""Which metrics decide, and on which tab each part of a request is."""

from itertools import permutations

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from reviews.workflow.domain.headline import MOST, RankedMetric, headline_metrics
from reviews.workflow.domain.tabs import Tab, tab_of

NAMES = [f"metric_{number}" for number in range(12)]
GROUPS = {name: f"group {number % 3}" for number, name in enumerate(NAMES)}
FLAGS = ("is_contradicted", "breaks_limit", "has_limit", "is_measured", "is_claimed")


@st.composite
def metrics(draw: st.DrawFn) -> list[RankedMetric]:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True))
    return [RankedMetric(name=name, **{flag: draw(st.booleans()) for flag in FLAGS}) for name in names]


@given(metrics())
def test_the_choice_keeps_the_order_and_its_size(given: list[RankedMetric]) -> None:
    names = [metric.name for metric in given]
    chosen = headline_metrics(given, groups=GROUPS)
    assert len(chosen) == min(len(given), MOST)
    assert list(chosen) == [name for name in names if name in chosen]


@given(metrics())
def test_no_urgent_metric_gives_way_to_a_quiet_one(given: list[RankedMetric]) -> None:
    chosen = headline_metrics(given, groups=GROUPS)
    urgent = {metric.name for metric in given if metric.is_contradicted or metric.breaks_limit}
    if len(urgent) >= MOST:
        assert set(chosen) <= urgent
    else:
        assert urgent <= set(chosen)


@given(metrics())
def test_each_group_is_seen_as_far_as_there_is_room(given: list[RankedMetric]) -> None:
    quiet = [metric for metric in given if not (metric.is_contradicted or metric.breaks_limit)]
    chosen = headline_metrics(quiet, groups=GROUPS)
    assert {GROUPS[name] for name in chosen} == {GROUPS[metric.name] for metric in quiet}


def test_a_contradiction_outweighs_a_broken_limit_and_that_a_kept_one() -> None:
    facts = {
        "contradicted": RankedMetric(name="contradicted", is_contradicted=True),
        "broken": RankedMetric(name="broken", breaks_limit=True, has_limit=True),
        "kept": RankedMetric(name="kept", has_limit=True),
        "compared": RankedMetric(name="compared", is_measured=True, is_claimed=True),
        "claimed": RankedMetric(name="claimed", is_claimed=True),
    }
    groups = dict.fromkeys(facts, "one")
    for order in permutations(facts):
        given = [facts[name] for name in order]
        for most, kept in ((1, {"contradicted"}), (2, {"contradicted", "broken"}), (4, set(facts) - {"claimed"})):
            assert set(headline_metrics(given, groups=groups, most=most)) == kept


@pytest.mark.parametrize(
    ("part", "tab"),
    [
        ("next", Tab.DECISION),
        ("votes", Tab.DECISION),
        ("authorization", Tab.DECISION),
        ("metric-values", Tab.EVIDENCE),
        ("run-7", Tab.EVIDENCE),
        ("study-7", Tab.EVIDENCE),
        ("budget", Tab.COSTS),
        ("policy", Tab.POLICY),
        ("item-data-sheet", Tab.CHECKLIST),
        ("packets", Tab.HISTORY),
    ],
)
def test_each_part_has_its_tab(part: str, tab: Tab) -> None:
    assert tab_of(part) is tab


@pytest.mark.parametrize("tab", list(Tab))
def test_the_segment_of_a_tab_is_that_of_its_address(tab: Tab) -> None:
    assert reverse(f"reviews:{tab.value}", args=["A"]) == f"/requests/A/{tab.segment}"
