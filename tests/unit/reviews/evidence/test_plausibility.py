"""Values that are probably slips: a percentage entered as a fraction, a value of another order of magnitude."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.evidence.domain.plausibility import CONFIRM, slip_question

PEERS = [Decimal(text) for text in ("2", "3", "5", "8", "40")]
values = st.decimals(min_value=-1000, max_value=1000, places=3).filter(bool)


def question(value: str | Decimal, peers: list[Decimal] = PEERS, *, name: str = "latency_p95_ms") -> str:
    return slip_question(name=name, value=Decimal(value), unit="ms", peers=peers)


@pytest.mark.parametrize("value", ["0.5", "-0.5", "0.015", "0"])
def test_a_change_of_up_to_half_is_not_asked_about(value: str) -> None:
    assert question(value, [], name="business_kpi_delta") == ""


@pytest.mark.parametrize(("value", "meant"), [("1.5", "0.015"), ("-2", "-0.02"), ("0.51", "0.0051")])
def test_a_change_of_more_than_half_is_probably_a_percentage(value: str, meant: str) -> None:
    asked = question(value, [], name="business_kpi_delta")
    assert asked.endswith(f" %. Did you mean {meant}? {CONFIRM}")


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("400", ""),
        ("400.1", "400.1 ms is more than ten times as much as in any other request."),
        ("0.2", ""),
        ("0.19", "0.19 ms is less than a tenth of the value of any other request."),
        ("-500", "-500 ms is more than ten times as much as in any other request."),
        ("0", ""),
    ],
)
def test_a_value_of_another_order_of_magnitude(value: str, words: str) -> None:
    asked = question(value)
    assert asked.startswith(words) if words else asked == ""


def test_a_few_other_values_say_nothing() -> None:
    assert question("1000000", PEERS[:4]) == ""


@given(value=values, peers=st.lists(values, min_size=5, max_size=12))
def test_the_question_depends_on_magnitudes_alone(value: Decimal, peers: list[Decimal]) -> None:
    asked, turned = question(value, peers), question(-value, [-peer for peer in peers])
    assert bool(asked) == bool(turned)
    assert question(peers[0], peers) == ""
