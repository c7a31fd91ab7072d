"""A decision matrix: it is decided again from the options, criteria and weights in the document."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.basis import Basis
from weighbridge.readers.fields import LARGEST_COUNT, Fields
from weighbridge.readers.findings import Findings
from weighbridge.readers.imported_result import ImportStatus
from weighbridge.readers.studies.study import Study, check_same, study_of
from weighbridge.readers.study_kinds import StudyKind
from weighbridge.tradeoff.decision import Situation
from weighbridge.tradeoff.matrix.decided import DRAWS, MatrixDecision, decide
from weighbridge.tradeoff.matrix.decision_matrix import Matrix
from weighbridge.tradeoff.matrix.file import matrix_from
from weighbridge.tradeoff.matrix.words import argue

if TYPE_CHECKING:
    from weighbridge.charts.drawing import Chart

OPTIONS_MAX, CRITERIA_MAX, CHARS_MAX = 20, 12, 120
DRAWS_MIN = 100
MEASURED = frozenset({Basis.MEASURED, Basis.ATTESTED, Basis.BILLED})


def read_decision_matrix(document: Fields, findings: Findings) -> Study:
    """Return the study of a `weighbridge.matrix/1`."""
    matrix = matrix_from(document.inside("input").mapping)
    _check_size(matrix, document.file)
    draws = document.whole("draws", at_least=DRAWS_MIN, at_most=DRAWS)
    decision = decide(matrix, draws=draws, seed=document.whole("seed", at_least=0, at_most=LARGEST_COUNT))
    winner = decision.winner.name if decision.winner else None
    check_same("the winner", stated=document.text("winner"), computed=winner, file=document.file)
    for what, computed in (("situation", decision.situation.value), ("digest", decision.as_document()["digest"])):
        check_same(f"the {what}", stated=document.text(what), computed=computed, file=document.file)
    for message in _doubts(decision):
        findings.doubt(ImportStatus.INDICATIVE, message)
    argument = argue(decision)
    weights = ", ".join(f"{each.name} {matrix.weights.values[each.id]:.0%}" for each in matrix.criteria)
    return study_of(
        findings,
        StudyKind.DECISION_MATRIX,
        title=f"{StudyKind.DECISION_MATRIX.words}: {matrix.title}",
        conclusions=(argument.headline, *argument.why[2:], *argument.changes),
        details={
            "question": matrix.question,
            "options": ", ".join(each.name for each in matrix.options),
            "weights": weights,
            "rejected": "; ".join(argument.rejected),
        },
        draw=lambda: _chart(decision),
    )


def _chart(decision: MatrixDecision) -> "Chart":
    from weighbridge.tradeoff.charts.heat_map import heat_map

    return heat_map(decision)


def _check_size(matrix: Matrix, file: str) -> None:
    names = [*(each.name for each in matrix.options), *(each.name for each in matrix.criteria)]
    if len(matrix.options) > OPTIONS_MAX or len(matrix.criteria) > CRITERIA_MAX or max(map(len, names)) > CHARS_MAX:
        text = (
            f"{file} is too large to be shown: a matrix may have {OPTIONS_MAX} options, {CRITERIA_MAX} criteria, and "
            f"names of {CHARS_MAX} characters."
        )
        raise Invalid(text, code="matrix_size", field="file")


def _doubts(decision: MatrixDecision) -> Iterator[str]:
    if decision.situation in (Situation.TIED, Situation.AMBIGUOUS):
        yield "The choice is not clear within the intervals of the estimates and the weights."
    bases = [cell.basis for option in decision.matrix.judged for cell in option.cells.values()]
    others = sum(basis not in MEASURED for basis in bases)
    if others:
        yield f"{others} of {len(bases)} estimates are declared or estimated, not measured."
