from decimal import Decimal

from reviews.packets.charts.charts import charts_of
from reviews.packets.domain.packet import read_packet
from reviews.packets.domain.packet_projection import OptionPart, OptionValue, ProjectionPart
from tests.factories.packets import sample_packet
from weighbridge.core.converter import to_document

NO_END = OptionValue(value=None, low=None, high=None)


def metric_value(value: str, low: str, high: str) -> OptionValue:
    return OptionValue(value=Decimal(value), low=Decimal(low), high=Decimal(high))


def option(title: str, first_year: OptionValue, *, is_chosen: bool = False) -> OptionPart:
    amount = metric_value("100", "90", "120")
    return OptionPart(
        title=title,
        is_chosen=is_chosen,
        cheapest=Decimal("0.25"),
        first_year=first_year,
        serving=amount,
        training=amount,
        ownership=amount,
        per_1k=amount,
    )


def part(*options: OptionPart) -> ProjectionPart:
    return ProjectionPart(
        number=1,
        title="Visual search",
        digest="sha256:" + "a" * 64,
        snapshot="sha256:" + "b" * 64,
        origin="Stated.",
        requests_per_year=Decimal(1000),
        draws=200,
        seed=1,
        options=options,
    )


def test_a_metric_value_is_said_with_its_range() -> None:
    assert metric_value("1234.5", "1000", "2000").words == "1,234.50 (1,000.00 to 2,000.00)"
    assert metric_value("5", "5", "5").words == "5.00"
    assert NO_END.words == "not served"
    assert OptionValue(value=Decimal(5), low=Decimal(4), high=None).words == "5.00 (4.00 to no limit)"
    assert option("Own", NO_END).cheapest_words == "25%"


def test_options_with_an_end_are_drawn_and_the_chosen_one_stands_out() -> None:
    chosen = option("Own replicas", metric_value("200", "150", "300"), is_chosen=True)
    drawn = part(chosen, option("Managed API", metric_value("90", "80", "95")), option("Slow", NO_END))
    assert [(bar.label, bar.is_total) for bar in drawn.bars] == [("Own replicas", True), ("Managed API", False)]
    assert "Own replicas 200.00" in charts_of(sample_packet(projection=drawn))["options.svg"].alt
    assert "options.svg" not in charts_of(sample_packet(projection=part(option("Slow", NO_END))))


def test_a_packet_with_a_projection_is_read_back_whole() -> None:
    packet = sample_packet(projection=part(option("Own", metric_value("1", "1", "2"))))
    assert read_packet(to_document(packet)) == packet
