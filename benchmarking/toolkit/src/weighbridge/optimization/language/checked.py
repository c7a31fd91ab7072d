"""Alternatives in a document of others: what counts as measured, and whether the verdicts follow from the numbers."""

from weighbridge.core.errors import Invalid
from weighbridge.measure.verdict import Status
from weighbridge.optimization.language.plan_file import ALTERNATIVES_MAX
from weighbridge.optimization.language.verdicts import SAME_ANSWERS, answer_on
from weighbridge.tradeoff.candidates import Candidate, Candidates, candidates_from

METRIC = "alternatives_measured"


def is_measured(candidate: Candidate) -> bool:
    """Return whether an alternative has answers of its own, and its measurement is evidence."""
    is_sharing = any(reason.code == SAME_ANSWERS for reason in candidate.verdict.reasons)
    is_evidence = candidate.measurement is not None and candidate.measurement.status is not Status.INVALID
    return candidate.kind is not None and is_evidence and not is_sharing


def checked_alternatives(document: object, *, count: int) -> Candidates:
    """Return the alternatives to a language model in `weighbridge.candidates/1`, of which `count` are measured.

    Raises Invalid for another document, a verdict that does not follow from the loss and the saving beside it, and for
    another number of measured alternatives.
    """
    found = candidates_from(document)
    others = [each for each in found.candidates if each.name != found.baseline]
    if not 1 <= len(others) <= ALTERNATIVES_MAX or any(each.kind is None for each in others):
        text = f"The document must have 1 to {ALTERNATIVES_MAX} alternatives to a language model, each with its kind."
        raise Invalid(text, code="alternatives", field="candidates")
    for each in others:
        if each.quality_drop is None or each.verdict.answer is not answer_on(each.quality_drop, each.cost_saving):
            text = f"The verdict on {each.name} does not follow from its loss of quality and its saving."
            raise Invalid(text, code="contradicts_itself", field="candidates")
    measured = sum(map(is_measured, others))
    if measured != count:
        text = f"The document has {measured} measured alternatives, and states {count}."
        raise Invalid(text, code="contradicts_itself", field=METRIC)
    return found
