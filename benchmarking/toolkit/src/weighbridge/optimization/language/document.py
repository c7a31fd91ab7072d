"""Cheaper alternatives to a language model as `weighbridge.candidates/1`, the document of measured alternatives."""

import dataclasses
import json
from typing import Any

from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.book import PriceBook
from weighbridge.measure import metrics
from weighbridge.measure.verdict import Status, Verdict
from weighbridge.optimization.alternatives import ALTERNATIVES, STATUSES
from weighbridge.optimization.language.answer_costs import DrawSettings, cost_estimates, drawn_answers, saving_of
from weighbridge.optimization.language.checked import METRIC, is_measured
from weighbridge.optimization.language.options import (
    AskedOption,
    PairedOption,
    asked_options,
    paired_options,
)
from weighbridge.optimization.language.plan_file import AnswerComparison, AnswerOption
from weighbridge.optimization.language.verdicts import PASS_RATE, quality_drop, verdict_on
from weighbridge.quality.prompts.attempts import PromptValues
from weighbridge.quality.prompts.difference import difference_interval
from weighbridge.quality.prompts.document import doubts_of
from weighbridge.quality.prompts.prompt_file import read_prompts
from weighbridge.statistics.order_statistics import Interval
from weighbridge.tradeoff.axes import axes_of
from weighbridge.tradeoff.candidates import (
    Candidate,
    Candidates,
    Estimate,
    Measurement,
    VariantAnswer,
    VariantVerdict,
    VerdictReason,
)
from weighbridge.tradeoff.pareto import weigh

DRAWS_MAX = 100_000
AXES = (PASS_RATE, "cost_per_accepted_usd")
NO_INTERVAL = "The prompts are of one cluster, which has no interval; give prompts of two or more."


def alternatives_document(
    plan: AnswerComparison, book: PriceBook, *, settings: DrawSettings, measured_at: str
) -> dict[str, Any]:
    """Compare the alternatives of a plan with its baseline, and return `weighbridge.candidates/1` with a verdict.

    The metric `alternatives_measured` counts alternatives with answers of their own whose measurement is evidence; the
    verdict is that of the weakest of them. Raises Invalid for files that cannot be read or do not belong together.
    """
    _check(settings)
    prompts = read_prompts(plan.prompts)
    asked = asked_options(plan, prompts, book)
    baseline = _baseline(asked[plan.baseline.name], plan, settings)
    others = [_candidate(pair, plan, settings) for pair in paired_options(plan, asked, settings)]
    found = Candidates(measured_at=measured_at, baseline=baseline.name, candidates=(baseline, *others))
    counted = [each.measurement.status for each in others if each.measurement is not None and is_measured(each)]
    document = {
        **found.as_document(),
        "scenario": ALTERNATIVES,
        "rows": len(asked[baseline.name].scored.passed.prompts),
        "verdict": {
            "status": min(counted, key=STATUSES.index, default=Status.INVALID),
            "reasons": _reasons(found, has_any=bool(counted)),
        },
        "metrics": {METRIC: metrics.point_metric(len(counted), "variants")} if counted else {},
        "settings": {
            "margin": plan.margin,
            "check_usd": plan.check_usd,
            "fallback_usd": plan.fallback_usd,
            **dataclasses.asdict(settings),
        },
        "snapshot": book.snapshot_id,
        "standings": {
            each.name: f"{each.state.value} (P {each.p_frontier:.2f})"
            for each in weigh(found.candidates, axes_of(AXES)).standings
        },
    }
    plain: dict[str, Any] = json.loads(json.dumps(document))
    return plain


def _check(settings: DrawSettings) -> None:
    if not 0 < settings.confidence < 1:
        raise Invalid("The confidence must be between 0 and 1.", field="confidence")
    if not 100 <= settings.draws <= DRAWS_MAX or settings.seed < 0:
        raise Invalid(f"Give 100 to {DRAWS_MAX:,} draws, and a seed of zero or more.", field="draws")


def _baseline(asked: AskedOption, plan: AnswerComparison, settings: DrawSettings) -> Candidate:
    passed = asked.scored.passed
    costs = drawn_answers(asked.values(passed.prompts), plan, settings)
    return Candidate(
        name=asked.option.name,
        family=asked.option.name,
        made_by=_made_by(asked.option),
        metrics={
            PASS_RATE: _share(passed, settings),
            **cost_estimates(costs, len(passed.prompts), settings),
        },
        verdict=VariantVerdict(VariantAnswer.BASELINE),
        measurement=_measurement(Verdict(tuple(doubts_of(asked.scored)))),
    )


def _candidate(pair: PairedOption, plan: AnswerComparison, settings: DrawSettings) -> Candidate:
    prompts = pair.difference.prompts
    before, after = (drawn_answers(values, plan, settings) for values in (pair.baseline, pair.values))
    saving = saving_of(before, after, settings)
    drop = quality_drop(_difference(pair, settings), plan.margin)
    estimates = {
        PASS_RATE: _share(PromptValues(prompts, pair.values.passed), settings),
        **cost_estimates(after, len(prompts), settings),
    }
    if pair.routed is not None:
        estimates["routed_share"] = _share(PromptValues(prompts, pair.routed), settings)
    return Candidate(
        name=pair.option.name,
        family=plan.baseline.name,
        made_by=_made_by(pair.option),
        metrics=estimates,
        verdict=verdict_on(drop, saving, pair.notes, is_sharing=pair.is_sharing),
        quality_drop=drop,
        measurement=_measurement(Verdict(pair.doubts)),
        kind=pair.option.kind,
        cost_saving=saving,
    )


def _difference(pair: PairedOption, settings: DrawSettings) -> Interval:
    """Return the difference of pass rates; exactly none if the answers are the same."""
    if pair.is_sharing:
        return Interval(0.0, 0.0, 0.0, settings.confidence, len(pair.difference.prompts), "same answers")
    return _known(difference_interval(pair.difference, settings.confidence, seed=settings.seed))


def _known(interval: Interval | None) -> Interval:
    """Return an interval; raise Invalid if there is none."""
    if interval is None:
        raise Invalid(NO_INTERVAL, code="answers_clusters", field="prompts")
    return interval


def _share(values: PromptValues, settings: DrawSettings) -> Estimate:
    interval = _known(values.share(settings.confidence))
    value = min(max(interval.value, interval.lower), interval.upper)
    return Estimate(value, interval.lower, interval.upper, interval.confidence, interval.n, "ratio")


def _made_by(option: AnswerOption) -> str:
    """Say in words how an option gets its answers."""
    if option.first:
        return f"cascade of {option.first} and {option.then}"
    kind = f"{option.kind.value.replace('_', ' ')}, " if option.kind is not None else ""
    price = option.price
    return f"{kind}{f'{price.model}, {price.tier}' if price.model else 'a stated cost per request'}"


def _measurement(verdict: Verdict) -> Measurement:
    reasons = dict.fromkeys(VerdictReason(each.code, each.message) for each in verdict.reasons)
    return Measurement(verdict.status, tuple(reasons))


def _reasons(found: Candidates, *, has_any: bool) -> list[dict[str, str]]:
    """Return the doubts about measurements, each once with the names of its candidates."""
    named: dict[VerdictReason, list[str]] = {}
    for each in found.candidates:
        for doubt in each.measurement.reasons if each.measurement else ():
            named.setdefault(doubt, []).append(each.name)
    lines = [{"code": doubt.code, "message": f"{', '.join(names)}: {doubt.message}"} for doubt, names in named.items()]
    if not has_any:
        text = "No alternative with answers of its own was measured well enough to be evidence."
        lines.append({"code": "alternatives.none", "message": text})
    return lines
