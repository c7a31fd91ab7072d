"""Answers of a language model: rates, slices, a judge, and a comparison, whose conclusions are drawn again."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from weighbridge.core.errors import Invalid
from weighbridge.quality.prompts.difference import PairedAnswer, answer_of
from weighbridge.quality.prompts.judging import Calibration, enough_labels, judge_reasons
from weighbridge.quality.prompts.outcomes import Outcome
from weighbridge.readers.fields import Fields, printable
from weighbridge.readers.findings import Findings
from weighbridge.readers.imported_result import ImportStatus
from weighbridge.readers.studies.scores import Score, bars_of, scores_in
from weighbridge.readers.studies.study import Study, check_same, study_of
from weighbridge.readers.study_kinds import StudyKind

if TYPE_CHECKING:
    from weighbridge.charts.drawing import Chart

SLICES_MAX, PASS_RATE = 200, "pass_rate"
RATES = {"refusal_rate": Outcome.REFUSED, "truncated_rate": Outcome.TRUNCATED, "error_rate": Outcome.ERROR}
WORDS = {
    PairedAnswer.BETTER: "better than the baseline",
    PairedAnswer.WORSE: "worse than the baseline",
    PairedAnswer.EQUIVALENT: "equivalent to the baseline within the margin",
    PairedAnswer.CANNOT_TELL: "not shown to differ from the baseline, nor to be equivalent",
}


def read_answers_study(document: Fields, findings: Findings) -> Study:
    """Return the study of a `weighbridge.answers/1`."""
    scores = scores_in(document.inside("metrics"), "all prompts")
    if not scores:
        raise Invalid(f"{document.file} has no metric that can be taken.", code="no_metrics", field="file")
    _check_rates(document)
    slices = [each for entry in _slices(document) for each in entry]
    judge = tuple(_judge(document, findings))
    conclusions = (*_conclusions(scores), *judge, *_comparison(document))
    return study_of(
        findings,
        StudyKind.ANSWERS,
        conclusions=conclusions,
        details={
            "prompts": f"{document.count('rows') or 0:,}",
            "answers": f"{document.count('answers_scored') or 0:,}",
            "clusters": str(document.count("clusters") or ""),
            "file of prompts": document.inside("prompts").text("file") or "",
            "file of answers": document.inside("answers").text("file") or "",
            "scorers": document.inside("scorers").text("digest") or "",
            "judge": document.inside("judge").text("judge") or "",
        },
        draw=lambda: _chart(scores, slices),
    )


def _check_rates(document: Fields) -> None:
    """Raise Invalid if outcomes do not add up, or a rate is impossible with them."""
    outcomes = document.inside("outcomes")
    counts = {outcome: outcomes.count(outcome.value) or 0 for outcome in Outcome}
    answers = document.count("answers_scored") or 0
    check_same("the number of answers", stated=float(answers), computed=float(sum(counts.values())), file=document.file)
    metrics, rows = document.inside("metrics"), document.count("rows") or 0
    for name, outcome in RATES.items():
        # Rates are means over prompts, which are those over answers if each prompt has as many.
        if name in metrics.names and answers == rows:
            value = metrics.interval(name)[0]
            check_same(f"the {name}", stated=value, computed=counts[outcome] / answers, file=document.file)
    if PASS_RATE in metrics.names and document.plain("judge") is None:
        value = metrics.interval(PASS_RATE)[0]
        has_passed = "some" if counts[Outcome.PASSED] else "no"
        check_same("passed answers:", stated="some" if value > 0 else "no", computed=has_passed, file=document.file)


def _slices(document: Fields) -> Iterator[list[Score]]:
    entries = document.entries("slices")
    if len(entries) > SLICES_MAX:
        raise Invalid(f"{document.file} has more than {SLICES_MAX} slices; score fewer at once.", field="slices")
    for entry in entries:
        yield scores_in(entry.inside("metrics"), printable(entry.text("name") or "a slice", 80))


def _conclusions(scores: list[Score]) -> Iterator[str]:
    shown = {each.metric: each for each in scores}
    for name in (PASS_RATE, "pass_rate_uncorrected", "refusal_rate", "truncated_rate", "injection_pass_rate"):
        if name in shown:
            yield f"{name} is {shown[name].words}."


def _judge(document: Fields, findings: Findings) -> Iterator[str]:
    """Say what the judge is worth by its number of labels, whatever the verdict of the file says."""
    if document.plain("judge") is None:
        return
    judge = document.inside("judge")
    stated, labels = judge.text("calibration"), judge.count("labels") or 0
    computed = Calibration.JUDGE_CHANGED
    if stated != Calibration.JUDGE_CHANGED:
        computed = enough_labels(labels)
    check_same("the calibration of the judge", stated=stated, computed=computed.value, file=document.file)
    for reason in judge_reasons(computed, labels, judge.count("unjudged") or 0):
        findings.doubt(ImportStatus(reason.status.value), reason.message)
    for key, words in (("corrected", "corrected by labels of people"), ("uncorrected", "uncorrected")):
        if judge.plain(key) is not None:
            value, lower, upper = judge.interval(key)
            yield f"By the judge, {words}, {value:.1%} pass ({lower:.1%} to {upper:.1%})."
            break
    if judge.plain("agreement") is not None:
        value, lower, upper = judge.interval("agreement")
        yield f"The judge agrees with people on {value:.1%} of {labels:,} answers ({lower:.1%} to {upper:.1%})."


def _comparison(document: Fields) -> Iterator[str]:
    for name, how in (("scorers", ""), ("judge", "By the judge, corrected, ")):
        if document.inside("comparison").plain(name) is None:
            continue
        entry = document.inside("comparison", name)
        margin = entry.quantity("margin") if entry.plain("margin") is not None else None
        computed, words = PairedAnswer.CANNOT_TELL, "not known"
        if entry.plain("difference") is not None:
            value, lower, upper = entry.interval("difference")
            computed = answer_of(lower, upper, margin)
            words = f"{value:+.1%} ({lower:+.1%} to {upper:+.1%})"
        check_same("the comparison", stated=entry.text("answer"), computed=computed.value, file=document.file)
        limit = f", margin {margin:.1%}" if margin is not None else ""
        start = "the model is" if how else "The model is"
        yield f"{how}{start} {WORDS[computed]}: the difference of pass rates is {words}{limit}."


def _chart(scores: list[Score], slices: list[Score]) -> "Chart":
    name = PASS_RATE if any(each.metric == PASS_RATE for each in scores) else scores[0].metric
    first = next(each for each in scores if each.metric == name)
    same = [each for each in slices if each.metric == name]
    if same:
        return bars_of([first, *same], title=f"{name} by slice", by_slice=True)
    return bars_of([each for each in scores if each.unit == first.unit], title="Rates of answers", by_slice=False)
