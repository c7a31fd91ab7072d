"""Tables: the same rows in Markdown and HTML, with nothing of the data read as markup."""

from tests.unit.toolkit.tradeoff.builders import estimate
from weighbridge.charts.tables import Table, html, markdown
from weighbridge.tradeoff.charts.words import capital, name_of, with_bounds, with_unit

TABLE = Table("Ways & means", ("name", "ms"), (("a|b", "1"), ("<c>", "2")), frozenset({1}))


def test_markdown_escapes_bars() -> None:
    assert markdown(TABLE) == "| name | ms |\n| --- | ---: |\n| a\\|b | 1 |\n| <c> | 2 |"


def test_html_escapes_and_names_rows_and_columns() -> None:
    written = html(TABLE)
    assert "<caption>Ways &amp; means</caption>" in written
    assert '<th scope="col">name</th><th scope="col" class="figure">ms</th>' in written
    assert '<tr><th scope="row">&lt;c&gt;</th><td class="figure">2</td></tr>' in written


def test_a_figure_is_written_with_its_bounds() -> None:
    assert with_bounds(estimate(0.867, 0.007)) == "0.867 (0.86 to 0.874)"
    assert with_bounds(estimate(8.91)) == "8.91"
    assert with_bounds(None) == "–"  # noqa: RUF001 -- a dash


def test_metrics_have_names_for_people() -> None:
    assert name_of("latency_p95_ms") == "p95 latency"
    assert name_of("joules_per_answer") == "joules per answer"
    assert (with_unit("accuracy", "ratio"), with_unit("model_size_mb", "MB")) == ("accuracy", "model size (MB)")
    assert capital("macro-F1") == "Macro-F1"
