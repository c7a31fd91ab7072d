"""A decided matrix at the terminal: one row for each option, then the argument."""

from typing import TextIO

from weighbridge.charts.tables import NOTHING
from weighbridge.cli.tables.terminal import number
from weighbridge.tradeoff.matrix.decided import MatrixDecision, Place
from weighbridge.tradeoff.matrix.page import HEADINGS
from weighbridge.tradeoff.matrix.words import argue


def show_decision(decision: MatrixDecision, stream: TextIO) -> None:
    """Write figures, scores and the argument."""
    from rich.console import Console
    from rich.table import Table

    matrix = decision.matrix
    table = Table(title=matrix.title, title_justify="left")
    table.add_column("option")
    for criterion in matrix.criteria:
        table.add_column(
            f"{criterion.with_unit(criterion.name)}, {matrix.weights.values[criterion.id]:.0%}", justify="right"
        )
    for heading in ("weighted sum", "TOPSIS", "P(best)"):
        table.add_column(heading, justify="right")
    table.add_column("stands")
    for place in decision.places:
        table.add_row(place.name, *_figures(decision, place), *_scores(place))
    Console(file=stream, highlight=False, markup=False).print(table)
    found = argue(decision)
    lines = [found.headline]
    for key, heading in HEADINGS.items():
        sentences = getattr(found, key)
        lines += [f"{heading}:", *(f"  {sentence}" for sentence in sentences)] if sentences else []
    stream.writelines(f"{line}\n" for line in lines)


def _figures(decision: MatrixDecision, place: Place) -> list[str]:
    cells = next(each for each in decision.matrix.options if each.name == place.name).cells
    return [number(cells[each.id].figure.value) if each.id in cells else NOTHING for each in decision.matrix.criteria]


def _scores(place: Place) -> tuple[str, str, str, str]:
    known = place.p_gates is not None
    score = NOTHING if place.score is None else f"{place.score:.3f}"
    close = NOTHING if place.closeness is None else f"{place.closeness:.3f}"
    stands = "rejected" if place.rank is None else f"{place.rank}."
    return score, close, f"{place.p_best:.1%}" if known else NOTHING, stands
