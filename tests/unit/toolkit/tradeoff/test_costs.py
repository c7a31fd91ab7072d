"""Cost charts: what they draw, what they say in words and in a table, and the page around them."""

import json

import pytest

from tests.unit.toolkit.costs.specs import BOOK, TODAY, at_path, small, template
from tests.unit.toolkit.tradeoff import builders
from weighbridge.charts.drawing import svg
from weighbridge.charts.tables import EMPTY_CELL
from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.shipped import shipped_book
from weighbridge.costs.projection import project
from weighbridge.costs.projection_document import as_document
from weighbridge.costs.spec.spec_file import read_spec
from weighbridge.tradeoff.axes import axes_of
from weighbridge.tradeoff.charts.costs import cost_bands, cost_crossover, tornado
from weighbridge.tradeoff.decision import Situation
from weighbridge.tradeoff.pareto import weigh
from weighbridge.tradeoff.sheets.cost_page import cost_sheet, publish_costs
from weighbridge.tradeoff.sheets.printing import PrintRefused
from weighbridge.tradeoff.sheets.sheet import html, markdown


@pytest.fixture(scope="module")
def document():
    return as_document(project(read_spec(template(), shipped_book(TODAY)), draws=400))


def unserved():
    """A projection one of whose options often serves nobody."""
    spec = read_spec(at_path(small(), ("options", 1, "serving", "service_s"), [0.03, 0.12]), BOOK)
    return as_document(project(spec))


def test_bands_go_from_p10_to_p90_for_every_option(document):
    chart = cost_bands(document)
    rows = (
        next(iter(chart.spec["datasets"].values()))
        if "datasets" in chart.spec
        else chart.spec["layer"][0]["data"]["values"]
    )
    metric = document["options"][1]["metrics"]["total_cost_1y_usd"]
    assert rows[1] == {
        "option": "Fine-tuned open model on own replicas",
        **{level: float(metric[level]) for level in ("p10", "p50", "p80", "p90")},
    }
    assert chart.table.headings == ("option", "P10", "P50", "P80", "P90", "cheapest")
    assert [row[-1] for row in chart.table.rows] == [
        f"{share:.0%}" for share in document["cheapest"]["total_cost_1y_usd"].values()
    ]
    assert "half below" in chart.alt
    assert "<title>" in svg(chart)


def test_a_estimate_that_nobody_is_cheapest_in_has_a_dash(document):
    assert {row[-1] for row in cost_bands(document, "exit_cost_usd").table.rows} == {EMPTY_CELL}
    assert cost_bands(document, "upkeep_1y_usd").title.startswith("upkeep 1y usd")


def test_an_option_without_amounts_is_in_the_table_alone():
    found = unserved()
    chart = cost_bands(found)
    assert [row[0] for row in chart.table.rows] == ["api", "own"]
    assert "own" not in chart.alt
    found["options"] = found["options"][1:]
    with pytest.raises(Invalid, match="No option has an amount"):
        cost_bands(found)


def test_the_tornado_names_the_input_that_moves_most(document):
    chart = tornado(document["options"][0], "tco_usd")
    assert chart.table.rows[0][0] == "requests_per_year"
    assert "requests_per_year moves the result most" in chart.alt
    assert len(chart.table.rows) == len(document["options"][0]["tornado"]["tco_usd"])
    assert svg(chart).count("<svg") == 1


def test_a_tornado_needs_ranges():
    with pytest.raises(Invalid, match="No input of api has a range"):
        tornado(as_document(project(read_spec(small(), BOOK)))["options"][0])


def test_the_crossover_says_at_which_volume(document):
    chart = cost_crossover(document)
    assert "cross at about" in chart.alt
    assert chart.table.rows[0][0] == "Managed API / Fine-tuned open model on own replicas"
    assert "million requests a year" in json.dumps(chart.spec)
    dear = at_path(small(), ("options", 1, "ownership", "development_usd"), 10**9)
    never = cost_crossover(as_document(project(read_spec(dear, BOOK))))
    assert "api and own do not cross" in never.alt
    assert never.table.rows[0][1:5] == (EMPTY_CELL, EMPTY_CELL, EMPTY_CELL, "0%")
    alone = small()
    alone["options"] = alone["options"][:1]
    assert "There is one option." in cost_crossover(as_document(project(read_spec(alone, BOOK)))).alt


def test_the_page_holds_estimates_lines_prices_and_what_follows(document):
    sheet = cost_sheet(document)
    assert sheet.situation is Situation.CLEAR
    assert [heading for heading, _ in sheet.sections] == [
        "Cheapest",
        "Limits",
        "Value of better answers",
        "Leaving",
        "Remarks",
        "Business metrics",
    ]
    assert [name for name, _ in sheet.pictures] == ["cost-bands", "crossover", "tornado-api", "tornado-own"]
    text = markdown(sheet)
    assert "aws/us-east-1/g5.xlarge" in text
    assert "committed_replicas · 8760 · committed_usd_per_h" in text
    assert "forced by 2027-10-01" in text
    assert "claimed, not tested" in text
    assert "<script" not in html(sheet)


def test_small_pages_leave_out_what_there_is_nothing_of():
    sheet = cost_sheet(as_document(project(read_spec(small(), BOOK))))
    assert [heading for heading, _ in sheet.sections] == ["Cheapest", "Remarks"]
    ending = (
        "aws/us-east-1/m5.large is served until 2027-10-01; no successor is named. Switch to another model by then."
    )
    assert dict(sheet.sections)["Remarks"] == (f"own, ending model: {ending}",)
    assert sheet.headline == f"own has the lowest total cost of ownership in 100% of 200 draws. {ending}".removesuffix(
        "."
    )
    assert [name for name, _ in sheet.pictures] == ["cost-bands", "crossover"]
    alone = small()
    alone["options"] = alone["options"][:1]
    assert cost_sheet(as_document(project(read_spec(alone, BOOK)))).situation is Situation.SINGLE
    twins = small()
    twins["options"][1] = {**twins["options"][0], "id": "twin", "lock_in": {"code_hours": 1}}
    found = cost_sheet(as_document(project(read_spec(twins, BOOK))))
    assert found.situation is Situation.AMBIGUOUS
    assert dict(found.sections)["Leaving"] == ("twin: 0 (0 to 0) USD, with a probability of 0%.",)
    doubtful = at_path(small(), ("options", 1, "serving", "service_s"), [0.03, 0.12])
    doubtful["options"] = doubtful["options"][1:]
    pictures = cost_sheet(as_document(project(read_spec(doubtful, BOOK)))).pictures
    assert [name for name, _ in pictures] == ["crossover"]  # neither bands nor swings have an end


def test_the_page_is_published_with_its_pictures(document, tmp_path):
    def refuse(source, target):
        raise PrintRefused("No PDF here.")

    assert publish_costs(document, tmp_path / "out", print_page=refuse) == "No PDF here."
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "cost-bands.svg",
        "costs.html",
        "costs.md",
        "crossover.svg",
        "tornado-api.svg",
        "tornado-own.svg",
    ]


def test_cost_is_an_axis_of_the_frontier():
    cheap = builders.candidate("cheap", accuracy=0.8, total_cost_1y_usd=10_000)
    dear = builders.candidate("dear", accuracy=0.9, total_cost_1y_usd=90_000)
    beaten = builders.candidate("beaten", accuracy=0.79, total_cost_1y_usd=95_000)
    frontier = weigh([cheap, dear, beaten], axes_of(["accuracy", "total_cost_1y_usd"]))
    assert {standing.name: standing.state.value for standing in frontier.standings} == {
        "cheap": "frontier",
        "dear": "frontier",
        "beaten": "dominated",
    }
