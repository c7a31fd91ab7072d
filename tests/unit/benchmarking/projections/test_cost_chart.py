"""The cost bands of a projection: a row for each option that can serve the load, on a scale from zero."""

from dataclasses import replace

from benchmarking.projections.domain.cost_chart import cost_chart
from benchmarking.projections.domain.projection_table import MetricOfOption, table_of
from tests.unit.benchmarking.projections.test_projection_table import document


def test_the_bands_are_the_totals_of_the_options_on_one_scale_from_zero():
    table = table_of(document())
    chart = cost_chart(table)
    assert chart is not None
    totals = {option["title"]: option["metrics"]["total_cost_1y_usd"] for option in document()["options"]}
    assert {point.name: (point.low, point.x, point.high) for point in chart.points} == {
        title: tuple(float(levels[level]) for level in ("p10", "p50", "p90")) for title, levels in totals.items()
    }
    assert chart.value_scale.first == 0
    best = max(table.options, key=lambda option: option.cheapest_probability)
    assert chart.finding.startswith(f"{best.title} is the cheapest in {best.cheapest_probability:.0%} of the draws.")
    assert {point.note for point in chart.points} == {
        f"Cheapest in {option.cheapest_probability:.0%} of the draws" for option in table.options
    }


def test_a_total_without_a_range_has_no_whisker_and_one_option_no_chart():
    table = table_of(document())
    rows = []
    for row in table.rows:
        first, second = row.cells
        bare = first.metric and replace(first.metric, lower=None, upper=None, confidence=None, p80=None)
        rows.append(replace(row, cells=(MetricOfOption(bare), second)))
    chart = cost_chart(replace(table, rows=tuple(rows)))
    assert chart is not None
    assert (chart.points[0].low, chart.points[0].high) == (None, None)
    unserved = [replace(row, cells=(MetricOfOption(None), row.cells[1])) for row in table.rows]
    assert cost_chart(replace(table, rows=tuple(unserved))) is None
    assert cost_chart(table_of(document("own"))) is None
    assert cost_chart(replace(table, rows=())) is None
