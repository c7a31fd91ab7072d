"""Labels: names keep clear of points, of each other and of the edge."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weighbridge.charts.labels import PLACES, _box, _overlap, line_box, place_labels

WIDTH, HEIGHT = 620, 380


def boxes(points, texts, **rest):
    placed = place_labels(points, texts, width=WIDTH, height=HEIGHT, **rest)
    return [
        _box(point, label.text, PLACES.index((label.dx, label.dy, label.align)))
        for point, label in zip(points, placed, strict=True)
    ]


def test_a_name_goes_to_the_right_unless_the_edge_is_there() -> None:
    assert place_labels([(100, 100)], ["a"], width=WIDTH, height=HEIGHT)[0].align == "left"
    assert place_labels([(615, 100)], ["a name"], width=WIDTH, height=HEIGHT)[0].align == "right"


def test_two_points_in_one_place_keep_their_names_apart() -> None:
    first, second = boxes([(300, 200), (301, 200)], ["int8-static", "int8-dynamic"])
    assert _overlap(first, second) == 0


def test_a_name_keeps_away_from_a_line() -> None:
    line = line_box((300, 200), (500, 200))
    (box,) = boxes([(300, 200)], ["name"], lines=[line])
    assert _overlap(box, line) == 0
    assert line == (297, 197, 503, 203)


@given(st.lists(st.tuples(st.floats(0, WIDTH), st.floats(0, HEIGHT)), max_size=12))
@settings(max_examples=50, deadline=None)
def test_every_point_has_its_label_in_order(points) -> None:
    texts = [f"c{index}" for index in range(len(points))]
    assert [label.text for label in place_labels(points, texts, width=WIDTH, height=HEIGHT)] == texts


@pytest.mark.parametrize(
    ("one", "other", "area"),
    [((0, 0, 2, 2), (1, 1, 3, 3), 1), ((0, 0, 1, 1), (1, 0, 2, 1), 0), ((0, 0, 1, 1), (5, 5, 6, 6), 0)],
)
def test_the_area_shared(one, other, area) -> None:
    assert _overlap(one, other) == area
