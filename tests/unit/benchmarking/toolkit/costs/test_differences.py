from decimal import Decimal

import pytest

from benchmarking.toolkit.costs.differences import Move, PriceMove, moves, price_moves


def document(total: str | None, usd: str = "1.0", path: str = "options[0].price", option: str = "own"):
    figure = {"unit": "USD", "middle": total, "p10": total, "p50": total, "p80": total, "p90": total}
    return {
        "options": [{"id": option, "figures": {"total_cost_1y_usd": figure}}],
        "prices": [{"path": path, "usd": usd, "as_of": "2026-09-01", "source": "a quote"}],
    }


def test_a_figure_that_moved_is_told_with_its_share():
    (move,) = moves(document("200.00"), document("150.00"))
    assert (move.option, move.figure, move.unit) == ("own", "total_cost_1y_usd", "USD")
    assert (move.before["p50"], move.after["p50"], move.share) == ("200.00", "150.00", Decimal("-0.25"))
    assert move.as_document()["share"] == "-0.250000"


def test_what_stayed_is_not_told_and_neither_is_an_option_of_one_side():
    assert moves(document("200.00"), document("200.00")) == ()
    assert moves(document("200.00"), document("150.00", option="api")) == ()


@pytest.mark.parametrize(("was", "now"), [("0.00", "5.00"), (None, "5.00"), ("5.00", None)])
def test_without_something_to_divide_by_there_is_no_share(was, now):
    (move,) = moves(document(was), document(now))
    assert move.share is None
    assert move.as_document()["share"] is None


def test_a_figure_that_one_side_does_not_know_is_left_out():
    before = document("1.00")
    before["options"][0]["figures"] = {}
    assert moves(before, document("2.00")) == ()


def test_prices_are_set_beside_one_another_by_their_path():
    (move,) = price_moves(document("1.00", usd="2.0"), document("1.00", usd="3.0"))
    assert (move.path, move.share) == ("options[0].price", Decimal("0.5"))
    assert price_moves(document("1.00"), document("1.00", usd="1.00")) == ()


def test_a_price_on_one_side_alone_is_told():
    gone, new = price_moves(document("1.00"), document("1.00", path="options[0].other"))
    assert (gone.after, new.before, gone.share, new.share) == (None, None, None, None)
    assert PriceMove("p", {"usd": "0"}, {"usd": "1"}).share is None


def test_a_move_is_plain_values():
    levels = {"p10": "1", "p50": "2", "p90": "3"}
    assert Move("own", "tco_usd", "USD", levels, levels).as_document() == {
        "option": "own", "figure": "tco_usd", "unit": "USD", "before": levels, "after": levels, "share": "0.000000",
    }  # fmt: skip
