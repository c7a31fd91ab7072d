"""The justification: a decided matrix with its heat map and tables, on one sheet."""

from weighbridge.charts.tables import NOTHING, Table
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
    """Lay out a decided matrix."""
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
    """Return the argument under its headings, the question first where there is one."""
    asked = (("The question", (question,)),) if question else ()
    return (*asked, *((heading, getattr(found, key)) for key, heading in HEADINGS.items()))


def estimates_table(decision: MatrixDecision) -> Table:
    """Return every estimate with its interval, its basis and its source."""
    rows = tuple(
        (
            option.name,
            criterion.name,
            criterion.with_unit(with_bounds(cell.estimate)),
            NOTHING if cell.estimate.confidence is None else f"{cell.estimate.confidence:.0%}",
            cell.basis.value,
            cell.source or NOTHING,
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
