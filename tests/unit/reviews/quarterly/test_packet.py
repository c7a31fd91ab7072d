"""What a quarterly packet adds up to, how it is cut into sections, what differs, and its charts."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from reviews.quarterly.domain.comparison import differences
from reviews.quarterly.domain.packet import (
    ChangeRow,
    PortfolioPoint,
    QuarterlyPacket,
    Variance,
    read_quarterly_packet,
)
from reviews.quarterly.domain.portfolio.frontier import frontier
from reviews.quarterly.domain.printed import charts
from reviews.quarterly.domain.printed.sections import LINES_FEW, PacketPart, front_charts, packed, parts_of, sections_of
from reviews.scorecard.domain.scorecard import Totals
from tests.factories.quarterly import make_packet, make_page, make_score, make_spend, make_variance
from weighbridge.core.canonical import digest_of
from weighbridge.core.converter import to_document

AMOUNTS = st.one_of(st.none(), st.integers(0, 9).map(Decimal))
POINTS = st.lists(st.tuples(AMOUNTS, AMOUNTS, AMOUNTS), max_size=12)


def test_what_a_packet_adds_up_to() -> None:
    packet = make_packet(3, spend=(make_spend(1), make_spend(2), replace(make_spend(3), unit="gpu_h")))
    assert (packet.allocated_usd, packet.spent_usd, packet.forecast_usd) == (30_000, 15_000, 31_000)
    assert [row.account for row in packet.over] == ["Team 2 USD"]
    assert packet.totals == Totals(met=2, missed=1, unknown=0)
    assert packet.unfinished == 1
    assert packet.variances[0].difference_usd == -120


def test_a_packet_survives_its_document() -> None:
    packet = make_packet(3)
    assert read_quarterly_packet(to_document(packet)) == packet
    assert digest_of(to_document(packet)) == "sha256:b922b500c933097e014775e45603bb568bb1d06c165d355e41af2d0ddb44cf0f"


def test_a_packet_issued_before_limits_were_in_it_is_read() -> None:
    document = to_document(make_packet(3))
    for point in document["points"]:
        del point["cost_limit_usd"], point["latency_limit_ms"]
    assert read_quarterly_packet(document) == make_packet(3)


def test_a_packet_issued_before_later_fields_were_in_it_is_read() -> None:
    document = to_document(make_packet(3, approved=(), not_compared=("a/b: an exchange rate for EUR",)))
    del document["approved"], document["not_compared"]
    packet = read_quarterly_packet(document)
    assert (packet.approved, packet.not_compared) == (None, ())


def test_each_template_of_the_printed_packet_is_used() -> None:
    used = {part.template for part in parts_of(make_packet(2))}
    folder = Path(__file__).parents[4] / "templates/reviews/quarterly/packet"
    found = {path.stem for path in folder.glob("*.html")}
    assert found - used == {"front", "leaves", "sheet", "chart"}


@given(POINTS)
def test_the_frontier_is_what_nothing_beats(values: list[tuple[Decimal | None, ...]]) -> None:
    points = [
        PortfolioPoint(model=str(number), cost_usd=cost, latency_ms=latency, value=value)
        for number, (cost, latency, value) in enumerate(values)
    ]
    best = frontier(points)
    whole = [each for each in points if None not in (each.cost_usd, each.latency_ms, each.value)]

    def beats(one: PortfolioPoint, other: PortfolioPoint) -> bool:
        pairs = [(one.cost_usd, other.cost_usd), (one.latency_ms, other.latency_ms), (-one.value, -other.value)]
        return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)

    assert best == {each.model for each in whole if not any(beats(other, each) for other in whole)}
    assert bool(best) == bool(whole)


def titles(packet: QuarterlyPacket) -> list[list[str]]:
    return [[part.title for part in section.parts] for section in sections_of(packet, sheet="s")]


def changed_sections(before: QuarterlyPacket, after: QuarterlyPacket) -> list[str]:
    known = {section.digest for section in sections_of(before, sheet="s")}
    return [section.title for section in sections_of(after, sheet="s") if section.digest not in known]


def test_sections_are_the_same_for_the_same_packet_and_differ_by_what_changed() -> None:
    packet = make_packet(20)
    assert sections_of(packet, sheet="s") == sections_of(packet, sheet="s")
    assert titles(packet)[-1][-4:] == ["Model 18", "Model 19", "Model 20", "Method and sources"]
    pages = (*packet.models[:7], make_page(8, name="Another name"), *packet.models[8:])
    (changed,) = changed_sections(packet, replace(packet, models=pages))
    assert changed == "Model 5 to Another name"
    digests = [{section.digest for section in sections_of(packet, sheet=sheet)} for sheet in ("a", "b")]
    assert not digests[0] & digests[1]


def test_a_table_that_changes_prints_no_model_anew() -> None:
    packet = make_packet(20)
    after = replace(packet, changes=(), rejected=(), followed=packet.followed[:1])
    assert not any("Model" in title for title in changed_sections(packet, after))


def test_what_is_empty_is_left_out() -> None:
    empty = dict.fromkeys(("spend", "points", "variances", "scores", "agenda", "followed", "changes", "rejected"), ())
    assert titles(make_packet(0, **empty)) == [["Method and sources"]]
    hours = make_packet(0, **empty | {"spend": (replace(make_spend(1), unit="gpu_h"),)})
    assert titles(hours) == [["Spend against budget and forecast", "Method and sources"]]
    assert [dict(section.charts) for section in sections_of(hours, sheet="s")] == [{}]
    assert dict(front_charts(hours)) == {}


def test_short_parts_share_a_section_and_a_rest_never_stands_alone() -> None:
    assert titles(make_packet(2)) == [
        [
            "Agenda",
            "Spend against budget and forecast",
            "Portfolio: value, cost, latency",
            "Bills against projections",
            "Scorecard",
            "Earlier decisions and their outcomes",
            "Changes since the previous quarter",
            "Rejected requests",
        ],
        ["Model 1", "Model 2", "Method and sources"],
    ]


@given(st.lists(st.tuples(st.sampled_from(["model", "agenda"]), st.integers(4, 90)), min_size=1, max_size=30))
def test_sections_keep_every_part_in_order_and_none_is_short(kinds: list[tuple[str, int]]) -> None:
    parts = [PacketPart(str(number), kind, {}, lines) for number, (kind, lines) in enumerate(kinds)]
    groups = packed(parts)
    assert [part for group in groups for part in group] == parts
    assert all(sum(part.lines for part in group) >= LINES_FEW for group in groups) or len(groups) == 1


def test_long_tables_are_cut_so_that_a_row_prints_one_section_anew() -> None:
    packet = make_packet(70)
    parts = [part for part in parts_of(packet) if part.template == "scorecard"]
    assert [part.title for part in parts] == ["Scorecard (1 of 3)", "Scorecard (2 of 3)", "Scorecard (3 of 3)"]
    assert [len(part.content["scores"]) for part in parts] == [30, 30, 10]
    drawn = [list(part.charts) for part in parts_of(packet) if part.template == "portfolio"]
    assert drawn == [["portfolio.svg"], [], []]
    scores = (*packet.scores[:40], make_score(2), *packet.scores[41:])
    assert len(changed_sections(packet, replace(packet, scores=scores))) == 1


def test_the_difference_to_the_quarter_before() -> None:
    before, after = make_packet(3), make_packet(3, scores=(make_score(1), make_score(2)), spend=(make_spend(1),))
    assert differences(None, after) == ()
    assert differences(before, before) == ()
    page = replace(after.models[0], authorization="")
    found = differences(before, replace(after, models=(page, *after.models[1:]), agenda=()))
    assert found == (
        ChangeRow(what="Allocated", before="210,000.00 USD", after="10,000.00 USD"),
        ChangeRow(what="Spent", before="105,000.00 USD", after="5,000.00 USD"),
        ChangeRow(what="Forecast", before="193,000.00 USD", after="9,000.00 USD"),
        ChangeRow(
            what="Authorization of team-2/model-1", before="AUT-2026-0001, active, until 2027-06-30", after="none"
        ),
        ChangeRow(what="Status of team-4/model-3, Conversion", before="missed", after=""),
        ChangeRow(what="On the agenda: Investment pending", before="3", after=""),
    )


def test_the_chart_of_spend_shows_every_account() -> None:
    chart = charts.spend_chart([make_spend(1), make_spend(2)])
    shown = chart.spec["layer"][0]["data"]["values"]
    assert [(row["label"], row["value"], row["filled"], row["limit"], row["words"]) for row in shown] == [
        ("Team 2 USD", 22000.0, 10000.0, 20000.0, "22,000 of 20,000"),
        ("Team 1 USD", 9000.0, 5000.0, 10000.0, "9,000 of 10,000"),
    ]
    assert chart.table.headings == ("", "forecast", "spent", "allocated")
    assert chart.table.rows[1] == ("Team 1 USD", "9,000", "5,000", "10,000")


def test_the_portfolio_needs_cost_and_latency_and_tells_who_is_on_the_frontier() -> None:
    unknown = PortfolioPoint(model="a", cost_usd=None, latency_ms=Decimal(1), value=None)
    assert charts.portfolio_chart([unknown], best=frozenset()) is None
    points = [
        unknown,
        PortfolioPoint(model="best", cost_usd=Decimal(1), latency_ms=Decimal(1), value=Decimal(1)),
        PortfolioPoint(model="gains", cost_usd=Decimal(2), latency_ms=Decimal(1), value=Decimal(0)),
        PortfolioPoint(model="far", cost_usd=Decimal(9), latency_ms=Decimal(9), value=None),
    ]
    chart = charts.portfolio_chart(points, best=frozenset({"best"}))
    assert chart is not None
    assert chart.table.rows == (
        ("best", "1", "1", "on the frontier"),
        ("gains", "2", "1", "its KPI gains"),
        ("far", "9", "9", "others"),
    )
    assert chart.alt.endswith("far: 9 a year, 9 ms")


def test_the_portfolio_shows_each_limit_once_and_who_is_over_its_own() -> None:
    limits = {"cost_limit_usd": Decimal(50), "latency_limit_ms": Decimal(100)}
    points = [
        PortfolioPoint(model="at", cost_usd=Decimal(50), latency_ms=Decimal(100), value=None, **limits),
        PortfolioPoint(model="dear", cost_usd=Decimal(51), latency_ms=Decimal(1), value=Decimal(1), **limits),
        PortfolioPoint(
            model="slow", cost_usd=Decimal(1), latency_ms=Decimal(61), value=None, latency_limit_ms=Decimal(60)
        ),
        PortfolioPoint(model="free", cost_usd=Decimal(900), latency_ms=Decimal(900), value=Decimal(0)),
    ]
    assert [(each.is_over_cost, each.is_over_latency) for each in points] == [
        (False, False),
        (True, False),
        (False, True),
        (False, False),
    ]
    chart = charts.portfolio_chart(points, best=frozenset({"dear"}))
    assert chart is not None
    assert [row[3] for row in chart.table.rows[:4]] == ["others", "over a limit", "over a limit", "its KPI gains"]
    assert chart.table.rows[4:] == (
        ("limit", "50", "–", "limit"),  # noqa: RUF001 -- a dash
        ("limit", "–", "60", "limit"),  # noqa: RUF001 -- a dash
        ("limit", "–", "100", "limit"),  # noqa: RUF001 -- a dash
    )
    assert chart.alt == (
        "Portfolio. at: 50 a year, 100 ms; dear: 51 a year, 1 ms (over a limit); slow: 1 a year, 61 ms (over a limit); "
        "free: 900 a year, 900 ms. Limits: 50 USD, 60 ms, 100 ms"
    )


def test_the_way_from_projection_to_bill_names_the_greatest_differences() -> None:
    rows = [
        Variance(model=f"m{number:02}", projected_usd=Decimal(100), billed_usd=Decimal(100 + 10 * number - 80))
        for number in range(20)
    ]
    shown = charts.variance_chart(rows).table.rows
    assert (shown[0], shown[1], shown[-2], shown[-1]) == (
        ("projected", "2,000"),
        ("m19", "+110"),
        ("all others", "+30"),
        ("billed", "2,300"),
    )
    assert len(shown) == charts.WATERFALL_MAX + 3


def test_a_bill_against_nothing_projected() -> None:
    row = Variance(model="m", projected_usd=Decimal(0), billed_usd=Decimal(5))
    assert charts.variance_chart([row]).table.rows == (("projected", "0"), ("m", "+5"), ("billed", "5"))


def test_the_way_by_cause_names_what_is_not_told_apart() -> None:
    chart, whole = charts.causes_chart([make_variance(1), make_variance(3)]), charts.causes_chart([make_variance(1)])
    assert chart is not None
    assert whole is not None
    assert [name for name, _ in chart.table.rows] == [
        "projected",
        "volume",
        "efficiency",
        "price",
        "unexplained",
        "billed",
    ]
    assert dict(chart.table.rows)["volume"] == "\N{MINUS SIGN}60"
    assert dict(chart.table.rows)["unexplained"] == "\N{MINUS SIGN}40"
    assert "unexplained" not in dict(whole.table.rows)
    assert charts.causes_chart([make_variance(3)]) is None


def test_the_section_of_bills_has_the_second_chart_where_something_is_told_apart() -> None:
    def drawn(*rows: Variance) -> list[str]:
        packet = make_packet(0, variances=rows)
        return [name for part in parts_of(packet) for name in part.charts if part.template == "variance"]

    assert drawn(make_variance(1)) == ["variance.svg", "causes.svg"]
    assert drawn(make_variance(3)) == ["variance.svg"]


@given(st.lists(st.tuples(*[st.none() | st.integers(0, 4).map(Decimal)] * 3), max_size=12))
def test_the_frontier_is_what_no_other_model_dominates(values: list[tuple[Decimal | None, ...]]) -> None:
    points = [
        PortfolioPoint(model=str(number), cost_usd=cost, latency_ms=latency, value=value)
        for number, (cost, latency, value) in enumerate(values)
    ]
    known = {
        str(number): (cost, latency, -value)
        for number, (cost, latency, value) in enumerate(values)
        if cost is not None and latency is not None and value is not None
    }
    assert frontier(points) == {
        model
        for model, mine in known.items()
        if not any(
            other != mine and all(its <= own for its, own in zip(other, mine, strict=True)) for other in known.values()
        )
    }
