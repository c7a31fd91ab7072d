"""The drawn distribution: where bars and marks stand; nothing is lost silently."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarking.runs.web.histogram import BINS, HEIGHT, WIDTH, latency_histogram
from benchmarking.runs.web.result import conditions_of, confusion_of

MS = 1_000_000


@pytest.mark.parametrize("latencies", [[], [5 * MS], [5 * MS, 5 * MS]])
def test_where_nothing_can_be_drawn_nothing_is(latencies):
    assert latency_histogram(latencies_ns=latencies, percentiles_ms={}) is None


def test_uniform_latencies_are_flat_and_marks_stand_in_order():
    drawn = latency_histogram(
        latencies_ns=[step * MS / 100 for step in range(1000, 2000)],
        percentiles_ms={"p95": 19.5, "p50": 15.0},
        stride=3,
    )
    assert [(mark.label, mark.row) for mark in drawn.marks] == [("p50", 0), ("p95", 1)]
    assert drawn.marks[0].x < drawn.marks[1].x
    assert (drawn.kept, drawn.beyond, drawn.stride) == (1000, 0, 3)
    full = [bar.height for bar in drawn.bars[8:-8]]
    assert min(full) > 0.7 * max(full)
    assert [tick.label for tick in drawn.ticks] == ["10", "12", "14", "16", "18", "20"]


def test_the_slowest_few_are_counted_not_drawn():
    drawn = latency_histogram(
        latencies_ns=[step * MS for step in range(1, 1000)] + [10**6 * MS], percentiles_ms={"p99": 990.0}
    )
    assert drawn.beyond == 1
    assert max(bar.x for bar in drawn.bars) < WIDTH


@given(st.lists(st.floats(min_value=1, max_value=1e12), min_size=2, max_size=200, unique=True))
def test_every_bar_and_tick_lies_on_the_drawing(latencies):
    drawn = latency_histogram(latencies_ns=latencies, percentiles_ms={})
    if drawn is not None:
        assert 1 <= len(drawn.bars) <= BINS
        assert max(bar.height for bar in drawn.bars) == HEIGHT
        assert all(0 <= bar.x <= WIDTH and bar.y >= 0 for bar in drawn.bars)
        assert all(0 <= tick.x <= WIDTH for tick in drawn.ticks)


def test_a_confusion_of_many_classes_is_not_drawn():
    assert confusion_of({"confusion": [[1] * 21] * 21}) == ()
    assert confusion_of({}) == ()


def test_conditions_of_a_bare_manifest():
    (only,) = conditions_of({"digest": "sha256:00", "data": None, "empty": {}})
    assert (only.title, only.pairs) == ("as a whole", (("digest", "sha256:00"), ("data", "none")))
    assert conditions_of({}) == ()
    (part,) = conditions_of({"inputs": {"declared": [{"name": "x", "shape": ["n", 4]}], "fixed": False, "none": []}})
    assert part.pairs == (("declared", "name x, shape n, 4"), ("fixed", "no"), ("none", "none"))
