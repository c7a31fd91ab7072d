"""Status strips: widths in proportion to the counts, and nothing that is not 0 without a width."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.site.web.charts.strips import LEAST, status_strip

COUNTS = st.lists(st.integers(0, 100_000), max_size=11)


@given(COUNTS)
def test_the_parts_fill_the_strip_one_after_the_other(counts):
    strip = status_strip((f"s{index}", count, f"/{index}/") for index, count in enumerate(counts))
    assert strip.total == sum(counts)
    assert [part.count for part in strip.parts] == [count for count in counts if count]
    end = 0.0
    for part in strip.parts:
        assert part.start == pytest.approx(end, abs=0.01)
        assert part.length >= LEAST - 0.001
        end += part.length
    assert end == pytest.approx(100 if strip.parts else 0, abs=0.01)


@given(COUNTS)
def test_more_is_never_narrower(counts):
    parts = sorted(status_strip((str(count), count, "") for count in counts).parts, key=lambda part: part.count)
    assert [part.length for part in parts] == sorted(part.length for part in parts)


def test_widths_are_in_proportion():
    counted = [("approved", 19, "/a/"), ("rejected", 0, "/r/"), ("draft", 5, "/d/"), ("in_review", 1, "/i/")]
    strip = status_strip(counted)
    assert [(part.state, part.href, part.length) for part in strip.parts] == [
        ("approved", "/a/", 76.0),
        ("draft", "/d/", 20.0),
        ("in_review", "/i/", 4.0),
    ]
    assert [(part.has_text, part.has_icon) for part in strip.parts] == [(True, True), (True, True), (True, False)]


def test_one_of_many_can_be_seen():
    many, one = status_strip([("approved", 9_999, ""), ("rejected", 1, "")]).parts
    assert (many.length, one.length, one.has_text) == (99.0, 1.0, False)
