"""A decision matrix for the terminal: one row for each option, then the reasons for the choice."""

from typing import TYPE_CHECKING

from weighbridge.charts.tables import EMPTY_CELL
from weighbridge.cli.tables.terminal import number, table_of
from weighbridge.tradeoff.matrix.decided import MatrixDecision, OptionPlace
from weighbridge.tradeoff.matrix.page import HEADINGS
from weighbridge.tradeoff.matrix.words import argue

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table


def decision_parts(decision: MatrixDecision) -> "Iterator[Table | str]":
    """Yield metrics, scores and the reasons for the choice."""
    matrix = decision.matrix
    criteria = [f"{each.with_unit(each.name)}, {matrix.weights.values[each.id]:.0%}" for each in matrix.criteria]
    headings = ("option", *criteria, "weighted sum", "TOPSIS", "P(best)", "rank")
    rows = ([place.name, *_metrics(decision, place), *_scores(place)] for place in decision.places)
    yield table_of(matrix.title, headings, rows, text_columns=("option", "rank"))
    argument = argue(decision)
    yield argument.headline
    for key, heading in HEADINGS.items():
        sentences = getattr(argument, key)
        yield from (f"{heading}:", *(f"  {sentence}" for sentence in sentences)) if sentences else ()


def _metrics(decision: MatrixDecision, place: OptionPlace) -> list[str]:
    cells = next(each for each in decision.matrix.options if each.name == place.name).cells
    return [
        number(cells[each.id].estimate.value) if each.id in cells else EMPTY_CELL for each in decision.matrix.criteria
    ]


def _scores(place: OptionPlace) -> tuple[str, str, str, str]:
    has_probabilities = place.p_gates is not None
    score = EMPTY_CELL if place.score is None else f"{place.score:.3f}"
    close = EMPTY_CELL if place.closeness is None else f"{place.closeness:.3f}"
    rank = "rejected" if place.rank is None else f"{place.rank}."
    return score, close, f"{place.p_best:.1%}" if has_probabilities else EMPTY_CELL, rank
