"""The justification sheet of a decided matrix, with heat map and tables."""

from weighbridge.charts.tables import EMPTY_CELL, Table
from weighbridge.tradeoff.charts.heat_map import heat_map
from weighbridge.tradeoff.charts.words import with_bounds
from weighbridge.tradeoff.matrix.decided import MatrixDecision
from weighbridge.tradeoff.matrix.words import Argument, argue
from weighbridge.tradeoff.sheets.sheet import Sheet

HEADINGS = {
    "why": "Why",
    "against": "What speaks against it",
    "rejected": "Rejected",
    "changes": "What would change it",
    "not_known": "What is not known",
}


def matrix_sheet(decision: MatrixDecision) -> Sheet:
    """Return the sheet of a decided matrix."""
    found, chart = argue(decision), heat_map(decision)
    weights = decision.matrix.weights.method.value
    subtitle = (
        f"{len(decision.places)} options, {len(decision.matrix.criteria)} criteria, weights: {weights}; "
        f"{decision.draws:,} draws, seed {decision.seed}"
    )
    return Sheet(
        title=decision.matrix.title,
        subtitle=subtitle,
        headline=found.headline,
        situation=decision.situation,
        sections=sections_of(found, decision.matrix.question),
        tables=(("Scores", chart.table), ("Estimates and where they come from", estimates_table(decision))),
        plates=(("matrix", chart),),
    )


def sections_of(found: Argument, question: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the argument as sections with headings; the question is first if there is one."""
    asked = (("The question", (question,)),) if question else ()
    return (*asked, *((heading, getattr(found, key)) for key, heading in HEADINGS.items()))


def estimates_table(decision: MatrixDecision) -> Table:
    """Return all estimates with their intervals, basis and sources."""
    rows = tuple(
        (
            option.name,
            criterion.name,
            criterion.with_unit(with_bounds(cell.estimate)),
            EMPTY_CELL if cell.estimate.confidence is None else f"{cell.estimate.confidence:.0%}",
            cell.basis.value,
            cell.source or EMPTY_CELL,
        )
        for option in decision.matrix.options
        for criterion in decision.matrix.criteria
        if (cell := option.cells.get(criterion.id)) is not None
    )
    return Table(
        "Estimates and where they come from",
        ("option", "criterion", "value", "level", "basis", "source"),
        rows,
        frozenset({2}),
    )
