"""Sparklines: from zero, in order of time, with a gap where a quarter is missing."""

from decimal import Decimal

from django.template import Context, Template

from governance.site.domain.charts.sparklines import sparkline

VALUES = [(8105.0, Decimal(0)), (8106.0, Decimal(10)), (8108.0, Decimal(5))]


def test_the_line_lies_on_a_scale_from_zero_and_a_missing_quarter_takes_its_room():
    line = sparkline(VALUES, target=Decimal(10))
    assert line is not None
    # 88 pixels for three quarters, 18 pixels for 10.
    assert line.path == "M4.0 22.0L33.3 4.0L92.0 13.0"
    assert (line.target, line.last) == (4.0, (92.0, 13.0))


def test_one_value_has_no_course():
    assert sparkline(VALUES[:1], target=Decimal(10)) is None
    assert sparkline([(1.0, Decimal(1)), (1.0, Decimal(1))], target=Decimal(1)) is not None


def test_the_page_says_the_values_in_words():
    history = [("2026Q3", 8107, Decimal("1.5")), ("2026Q4", 8108, Decimal(2))]
    template = Template("{% load weighbridge %}{% sparkline history target '%' %}")
    text = template.render(Context({"history": history, "target": Decimal(3)}))
    assert "<title>2026Q3 1.5 %, 2026Q4 2 %; target 3 %</title>" in text
    assert "<svg" not in template.render(Context({"history": history[:1], "target": Decimal(3)}))
