"""The matrix decided: gates first, the winner and how sure it is, each in words, in a picture and in a document."""

import json
import xml.etree.ElementTree as ET

import pytest

from tests.unit.toolkit.tradeoff.matrices import COST, CRITERIA, LATENCY, cell, matrix, option
from weighbridge.charts.drawing import svg
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis
from weighbridge.tradeoff.axes import AxisDirection
from weighbridge.tradeoff.charts.heat_map import heat_map
from weighbridge.tradeoff.decision import Situation
from weighbridge.tradeoff.matrix.decided import SCHEMA, decide
from weighbridge.tradeoff.matrix.decision_matrix import Criterion
from weighbridge.tradeoff.matrix.file import matrix_from
from weighbridge.tradeoff.matrix.page import matrix_sheet
from weighbridge.tradeoff.matrix.weights import direct
from weighbridge.tradeoff.matrix.words import argue
from weighbridge.tradeoff.sheets.sheet import html, markdown

FIXED = (
    Criterion(id="cost", name="Cost at scale", unit="USD/year", direction=AxisDirection.MIN, scale=(700_000, 100_000)),
    Criterion(id="latency", name="Latency", unit="ms", direction=AxisDirection.MIN, gate=200, scale=(200, 0)),
    Criterion(id="accuracy", name="Accuracy", unit="1", direction=AxisDirection.MAX, scale=(0.5, 1)),
)


def test_the_clear_case_by_hand() -> None:
    # Shares over the fixed scales: open 0.85, 0.825, 0.62; light 0.9333, 0.94, 0.44; managed 0.1167, 0.525, 0.56.
    found = decide(matrix(criteria=FIXED), draws=500)
    places = {place.name: place for place in found.places}
    assert places["open"].score == pytest.approx(0.5 * 0.85 + 0.25 * 0.825 + 0.25 * 0.62)
    assert places["light"].score == pytest.approx(0.5 * 560 / 600 + 0.25 * 0.94 + 0.25 * 0.44)
    assert [place.name for place in found.ranked] == ["light", "open", "managed"]
    assert (found.winner.name, found.second_opinion.name) == ("light", "light")
    assert (found.winner.p_best, found.winner.p_gates) == (1, 1)
    assert found.situation is Situation.CLEAR
    assert argue(found).headline == "Take light."
    assert argue(found).changes[-1] == "Dropping any of the losing options leaves the order of the rest as it is."


def test_gates_reject_before_anybody_is_weighed_and_say_why() -> None:
    options = {"best but slow": (1, 200.5, 0.99), "open": (190, 35, 0.8), "light": (180, 30, 0.7)}
    found = decide(
        matrix([*(option(*pair) for pair in options.items()), option("out", (), excluded="No contract.")]), draws=500
    )
    assert [place.name for place in found.rejected] == ["best but slow", "out"]
    assert found.rejected[0].reasons == ("Latency is 200.5 ms; the gate is at most 200 ms.",)
    assert found.rejected[1].reasons == ("No contract.",)
    assert (found.rejected[0].score, found.rejected[0].p_best, found.rejected[0].p_gates) == (None, 0, 0)
    assert found.winner.name == "light"
    assert argue(found).rejected == (
        "best but slow: Latency is 200.5 ms; the gate is at most 200 ms.",
        "out: No contract.",
    )
    assert "2 of 4 options pass the hard gates (Latency at most 200 ms)." in argue(found).why


def test_who_may_pass_a_gate_after_all_may_win() -> None:
    found = decide(matrix({"near": (1, (201, 20), 0.99), "open": (190, 35, 0.7)}), draws=4_000)
    near = found.rejected[0]
    assert near.p_gates == pytest.approx(0.467, abs=0.03)
    assert near.p_best == pytest.approx(near.p_gates)
    assert found.situation is Situation.AMBIGUOUS
    assert argue(found).headline == "Probably take open; within the intervals, near may be the choice instead."
    assert argue(found).rejected[0].endswith(f"It passes all gates in {near.p_gates:.1%} of the draws.")


def test_the_winner_may_miss_a_gate_itself() -> None:
    found = decide(matrix({"slow": (1_000, 300, 0.4), "open": (190, (195, 10), 0.7)}), draws=4_000)
    assert argue(found).headline == "Probably take open; the choice hangs on a gate."
    assert any(
        said.startswith("open passes the gates at its values, but misses one in 2") for said in argue(found).not_known
    )


def test_one_that_passes_is_taken_without_a_choice() -> None:
    found = decide(matrix({"slow": (1, 300, 0.9), "open": (190, 35, 0.7)}), draws=200)
    assert found.situation is Situation.SINGLE
    assert argue(found).headline == "Take open; no other option passes the hard gates."
    assert (found.flips, found.reversals, argue(found).changes) == ((), (), ())


def test_nobody_is_taken_where_nobody_passes() -> None:
    found = decide(matrix({"slow": (1, 300, 0.9), "slower": (190, 350, 0.7)}), draws=200)
    assert (found.situation, found.winner, found.second_opinion) == (Situation.NONE, None, None)
    assert argue(found).headline == "No option passes the hard gates."
    assert argue(found).against == ()
    assert found.as_document()["winner"] is None
    out = decide(matrix([option("a", (), excluded="No."), option("b", (), excluded="Nor this.")]), draws=200)
    assert [place.reasons for place in out.places] == [("No.",), ("Nor this.",)]
    assert "nobody passes the gates" in heat_map(out).alt


def test_equals_are_tied() -> None:
    found = decide(matrix({"a": (1, 30, 0.9), "b": (1, 30, 0.9), "c": (2, 40, 0.8)}), draws=200)
    assert found.situation is Situation.TIED
    assert argue(found).headline == "Take a; b would do as well."
    assert [place.p_best for place in found.places] == [0.5, 0.5, 0.0]
    assert sum(place.wins_any for place in found.places) == pytest.approx(1)


def test_criteria_that_say_the_same_are_named() -> None:
    together = {"a": (100, 10, 0.9), "b": (200, 20, 0.7), "c": (300, 30, 0.8), "d": (400, 40, 0.75)}
    said = argue(decide(matrix(together), draws=200)).not_known
    assert any(
        text.startswith("Cost at scale and Latency are good and bad together (correlation 1.00)")
        and text.endswith("what they share counts twice, at 75% of the weight.")
        for text in said
    )
    against = {name: (cost, 50 - latency, accuracy) for name, (cost, latency, accuracy) in together.items()}
    (pair,) = decide(matrix(against), draws=200).as_document()["dependences"]
    assert (pair["first"], pair["second"], pair["correlation"]) == ("cost", "latency", pytest.approx(-1))
    assert "cancels itself, at 75%" in " ".join(argue(decide(matrix(against), draws=200)).not_known)
    three = {name: together[name] for name in "abc"}
    assert decide(matrix(three), draws=200).dependences == (), "three options show nothing"


def test_a_second_opinion_that_differs_is_said_and_makes_it_ambiguous() -> None:
    estimates = {"a": (110, 5, 0.95), "b": (40, 35, 0.83), "c": (90, 55, 0.78)}
    found = decide(matrix(estimates, weights=direct({"cost": 0.2, "latency": 0.1, "accuracy": 0.7})), draws=500)
    assert (found.winner.name, found.second_opinion.name) == ("a", "b")
    assert found.situation is Situation.AMBIGUOUS
    assert any(said.startswith("TOPSIS would take b: ") for said in argue(found).why)
    assert "the method" in argue(found).headline


def test_weights_near_the_stated_ones_may_decide_otherwise() -> None:
    estimates = {"a": (100, 30, 0.7), "b": (200, 30, 0.8)}
    found = decide(matrix(estimates, weights=direct({"cost": 0.51, "latency": 0, "accuracy": 0.49})), draws=2_000)
    assert found.winner.wins_near == pytest.approx(0.54, abs=0.04)
    assert argue(found).headline == "Probably take a; the choice hangs on the weights."
    assert (
        "b wins once the weight of Cost at scale goes down from 51% past 50.0%, the others in proportion."
        in argue(found).changes
    )
    assert (
        "b wins once the weight of Accuracy goes up from 49% past 50.0%, the others in proportion."
        in argue(found).changes
    )
    assert argue(found).against == ("b is better in Accuracy (0.8); a has 0.7.",)


def test_a_reversal_is_said_with_its_remedy() -> None:
    estimates = {"a": (10, 100, 0.9), "b": (100, 10, 0.9), "c": (10_000, 11, 0.9)}
    weights = direct({"cost": 0.45, "latency": 0.55, "accuracy": 0})
    found = decide(matrix(estimates, weights=weights), draws=200)
    assert found.winner.name == "b"
    turned = [turn for turn in found.reversals if turn.method == "weighted sum"]
    assert [(turn.without, turn.after) for turn in turned] == []
    other = decide(matrix(estimates, weights=direct({"cost": 0.55, "latency": 0.45, "accuracy": 0})), draws=200)
    (turn,) = [turn for turn in other.reversals if turn.method == "weighted sum"]
    assert (turn.without, turn.after, turn.is_of_winner) == ("c", ("a", "b"), True)
    words = argue(other)
    assert "Without c, weighted sum changes the choice: a > b." in words.changes
    assert words.changes[-1].startswith("Such reversals go away where a worst and a best value fix the scale")
    assert "c being among the options" in words.headline


def test_nothing_flips_a_choice_that_is_best_in_everything() -> None:
    found = decide(matrix({"a": (1, 10, 0.9), "b": (2, 20, 0.8)}), draws=200)
    assert argue(found).changes == ("No change of a single weight changes the choice.",)


def test_what_was_not_measured_is_said() -> None:
    known = option("known", ((1, 0.1), (10, 1), (0.9, 0.01)))
    guess = option("guess", (2, (20, 2), (0.8, 0.01)))
    guess.cells.update(
        cost=cell(2, basis=Basis.DECLARED),
        latency=cell(20, 2, basis=Basis.ESTIMATED),
        accuracy=cell(0.8, 0.01, basis=Basis.ESTIMATED),
    )
    said = argue(decide(matrix([known, guess]), draws=200)).not_known
    assert said[:3] == (
        "guess: Cost at scale is declared, not measured.",
        "guess: Latency and Accuracy are estimated, not measured.",
        "guess: Cost at scale has no interval and is taken as exact.",
    )
    two = option("two", (2, 20, (0.8, 0.01)))
    said = argue(decide(matrix([known, two]), draws=200)).not_known
    assert said[0] == "two: Cost at scale and Latency have no intervals and are taken as exact."


def test_the_document_carries_its_input_and_gives_the_same_again() -> None:
    first = decide(matrix(question="Which?"), draws=300, seed=5).as_document()
    assert first["schema"] == SCHEMA
    again = decide(matrix_from(first["input"]), draws=300, seed=5).as_document()
    assert json.loads(json.dumps(first)) == json.loads(json.dumps(again))
    assert decide(matrix(), draws=300, seed=6).as_document()["digest"] != first["digest"]


def test_the_picture_says_the_same_as_its_words_and_its_table() -> None:
    found = decide(
        matrix(
            [option("open & <b>", (190, 35, 0.7)), option("slow", (1, 300, 0.9)), option("out", (), excluded="No.")]
        ),
        draws=200,
    )
    chart = heat_map(found)
    text = "".join(ET.fromstring(svg(chart)).itertext())
    for word in (
        "Cost at scale",
        "50%",
        "190 USD/year",
        "gate: at most 200 ms",
        "rejected",
        "chosen",
        "P(best) 100.0%",
    ):
        assert word in text
    assert chart.alt.endswith("Weighted sums: open & <b> 1.000. Rejected: slow, out.")
    assert [row[0] for row in chart.table.rows] == ["open & <b>", "slow", "out"]
    assert chart.table.rows[0][1] == "190 [1.00]"
    assert chart.table.rows[1][-1] == "rejected: Latency is 300 ms; the gate is at most 200 ms."
    assert chart.table.rows[2][1] == "–"  # noqa: RUF001 -- a dash


def test_the_sheet_holds_the_argument_the_scores_and_every_source() -> None:
    found = decide(matrix(question="Which one?"), draws=200)
    sheet = matrix_sheet(found)
    written = html(sheet)
    ET.fromstring("<body>" + written.partition("<body>")[2].partition("</html>")[0])
    assert "<h2>The question</h2>" in written
    for heading in ("Why", "What speaks against it", "Rejected", "What would change it", "What is not known"):
        assert f"<h2>{heading}</h2>" in written
    assert "](matrix.svg)" in markdown(sheet)
    assert markdown(sheet).count("| a test |") == 9
    assert next(heading for heading, _ in matrix_sheet(decide(matrix(), draws=200)).sections) == "Why"


@pytest.mark.parametrize(
    ("make", "said", "field"),
    [
        (lambda: matrix({"a": (1, 2, 3)}), "at least 2 options; this has 1", "options"),
        (
            lambda: matrix([option("a", (1, 2, 3)), option("a", (1, 2, 3))]),
            "'a' occurs twice in options",
            "options",
        ),
        (lambda: matrix(criteria=(COST, COST)), "'cost' occurs twice in criteria", "criteria"),
        (lambda: matrix(criteria=()), "at least one criterion", "criteria"),
        (
            lambda: matrix(weights=direct({"cost": 1})),
            "Weights are given for cost, the criteria are cost, latency, accuracy",
            "weights",
        ),
        (
            lambda: matrix({"a": (1, 2, 3), "b": (1, 2)}),
            "options[1].values.accuracy is missing: b needs an estimate",
            "options[1].values.accuracy",
        ),
        (
            lambda: matrix(criteria=CRITERIA[:2], weights=direct({"cost": 0.5, "latency": 0.5})),
            "is not a criterion; the criteria are cost, latency",
            "options[0].values.accuracy",
        ),
        (
            lambda: Criterion(id="a", name="A", unit="1", direction=AxisDirection.MIN, scale=(1, 2)),
            "The best value of A must be below its worst",
            "scale",
        ),
        (
            lambda: Criterion(id="a", name="A", unit="1", direction=AxisDirection.MAX, scale=(2, 2)),
            "The best value of A must be above its worst",
            "scale",
        ),
    ],
)
def test_what_is_no_matrix_is_refused(make, said, field) -> None:
    with pytest.raises(Invalid) as refused:
        make()
    assert said in refused.value.reason
    assert refused.value.field == field


def test_a_criterion_without_a_gate_has_no_words_for_it() -> None:
    assert (COST.gate_words(), COST.limit, LATENCY.gate_words()) == ("", None, "at most 200 ms")
