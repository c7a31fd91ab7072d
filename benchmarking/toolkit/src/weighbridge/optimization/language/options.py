"""The options of a plan with their scored answers and costs, and each alternative paired with the baseline."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.book import PriceBook
from weighbridge.costs.uncertainty import middle_of
from weighbridge.measure.verdict import Status, ValidityReason
from weighbridge.optimization.language import cascade
from weighbridge.optimization.language.answer_costs import AnswerValues, DrawSettings, StatedPart
from weighbridge.optimization.language.plan_file import AnswerComparison, AnswerOption, RequestPrice
from weighbridge.optimization.language.request_prices import PromptCosts, prompt_costs
from weighbridge.optimization.language.verdicts import SAME_ANSWERS
from weighbridge.quality.prompts.answer_file import read_answers
from weighbridge.quality.prompts.attempts import PromptValues
from weighbridge.quality.prompts.difference import paired_difference
from weighbridge.quality.prompts.document import (
    ModelAnswers,
    ScoredModel,
    doubts_of,
    doubts_of_baseline,
    scored_model,
)
from weighbridge.quality.prompts.outcomes import Scoring
from weighbridge.quality.prompts.prompt_file import Prompt, PromptFile
from weighbridge.statistics.clustered import FEW_CLUSTERS
from weighbridge.tradeoff.candidates import AlternativeKind, VerdictReason


@dataclasses.dataclass(frozen=True)
class AskedOption:
    """An option with its scored answers and the costs of its requests; `is_sharing` the answers of the baseline."""

    option: AnswerOption
    scored: ScoredModel
    costs: PromptCosts
    is_sharing: bool

    @property
    def rates(self) -> Mapping[str, float]:
        """The share of passed attempts by prompt."""
        passed = self.scored.passed
        return {prompt.id: float(rate) for prompt, rate in zip(passed.prompts, passed.values, strict=True)}

    def values(self, prompts: Sequence[Prompt]) -> AnswerValues:
        """Return pass rates and costs on some prompts."""
        rates, every = self.rates, np.ones(len(prompts))
        return AnswerValues(
            np.array([rates[prompt.id] for prompt in prompts]),
            tuple(self.costs.usd[prompt.id] for prompt in prompts),
            tuple(stated_parts(self.option.name, self.costs.price, every)),
            clusters_of(prompts),
        )


@dataclasses.dataclass(frozen=True)
class PairedOption:
    """An alternative and the baseline on the same prompts: the differences of pass rates, and the costs of both.

    `routed` is the share of prompts that a cascade asks its second model, shape (prompts,) of 0 and 1, else None.
    """

    option: AnswerOption
    difference: PromptValues
    baseline: AnswerValues
    values: AnswerValues
    doubts: tuple[ValidityReason, ...]
    notes: tuple[VerdictReason, ...] = ()
    is_sharing: bool = False
    routed: NDArray[np.float64] | None = None


def stated_parts(name: str, price: RequestPrice, times: NDArray[np.float64]) -> Iterator[StatedPart]:
    """Yield the stated amounts of a price, each paid so many times for each prompt."""
    if price.usd is not None:
        yield StatedPart(name, price.usd, times)
    if price.once_usd:
        yield StatedPart(name, price.once_per_request, times)


def clusters_of(prompts: Sequence[Prompt]) -> list[str]:
    """Return the cluster of each prompt; without clusters, each prompt is one."""
    return PromptValues(tuple(prompts), np.zeros(len(prompts))).clusters or [prompt.id for prompt in prompts]


def asked_options(plan: AnswerComparison, prompts: PromptFile, book: PriceBook) -> dict[str, AskedOption]:
    """Return the options of a plan that are no cascades by name, the baseline first; raise Invalid for a bad file."""
    scoring = Scoring(prompts.prompts)
    asked: dict[str, AskedOption] = {}
    for option in (plan.baseline, *plan.alternatives):
        if option.kind is AlternativeKind.CASCADE:
            continue
        if option.answers is None:
            scored = asked[plan.baseline.name].scored
        else:
            scored = scored_model(prompts, ModelAnswers(answers=read_answers(option.answers)), scoring)
        costs = prompt_costs(option, scored.attempts, book)
        asked[option.name] = AskedOption(option, scored, costs, is_sharing=option.answers is None)
    return asked


def paired_options(
    plan: AnswerComparison, asked: Mapping[str, AskedOption], settings: DrawSettings
) -> Iterator[PairedOption]:
    """Yield each alternative, paired with the baseline; raise Invalid for too few common prompts."""
    baseline = asked[plan.baseline.name]
    for option in plan.alternatives:
        if option.kind is AlternativeKind.CASCADE:
            yield _cascade(option, plan, asked, settings)
        else:
            yield _alternative(asked[option.name], baseline)


def _alternative(other: AskedOption, baseline: AskedOption) -> PairedOption:
    paired = paired_difference(other.scored.passed, baseline.scored.passed)
    prompts = paired.values.prompts
    own = () if other.is_sharing else doubts_of(other.scored)
    return PairedOption(
        other.option,
        paired.values,
        baseline.values(prompts),
        other.values(prompts),
        (*own, *doubts_of_baseline(baseline.scored), *_unpaired(paired.unpaired)),
        notes=_sharing_note(other.option) if other.is_sharing else (),
        is_sharing=other.is_sharing,
    )


def _sharing_note(option: AnswerOption) -> tuple[VerdictReason, ...]:
    words = "the batch tier" if option.kind is AlternativeKind.BATCH_TIER else "the cache of prompts"
    text = f"The answers are those of the baseline, which {words} does not change; only the cost was compared."
    return (VerdictReason(SAME_ANSWERS, text),)


def _unpaired(count: int) -> Iterator[ValidityReason]:
    if count:
        text = f"{count:,} prompts were scored for one of the two alone, and are not compared."
        yield ValidityReason("comparison.unpaired", Status.INDICATIVE, text)


def _cascade(
    option: AnswerOption, plan: AnswerComparison, asked: Mapping[str, AskedOption], settings: DrawSettings
) -> PairedOption:
    first, then, baseline = asked[option.first], asked[option.then], asked[plan.baseline.name]
    rates = {each.option.name: each.rates for each in (first, then, baseline)}
    prompts = [prompt for prompt in first.scored.passed.prompts if all(prompt.id in each for each in rates.values())]
    confidence, passed, asks = _confidence(option, first, prompts)
    one, other, base = passed, *(np.array([each.rates[prompt.id] for prompt in prompts]) for each in (then, baseline))
    choosing = cascade.halves(clusters_of(prompts), seed=settings.seed)
    threshold = cascade.choose_threshold(
        confidence[choosing],
        (one - base)[choosing],
        _request_usd(then, prompts)[choosing],
        baseline_change=(other - base)[choosing],
        margin=plan.margin,
    )
    goes_on = threshold.goes_on(confidence)
    kept = [place for place in range(len(prompts)) if not choosing[place]]
    measured, routed = [prompts[place] for place in kept], goes_on[kept]
    mixed = np.where(goes_on, other, one)[kept]
    usd = tuple(
        first.costs.usd[prompt.id] * int(asks[place]) + (then.costs.usd[prompt.id] if goes_on[place] else 0)
        for place, prompt in zip(kept, measured, strict=True)
    )
    stated = (
        *stated_parts(first.option.name, first.costs.price, asks[kept]),
        *stated_parts(then.option.name, then.costs.price, routed.astype(np.float64)),
        StatedPart(option.name, option.confidence_usd, np.ones(len(kept))),
    )
    return PairedOption(
        option,
        PromptValues(tuple(measured), mixed - base[kept]),
        baseline.values(measured),
        AnswerValues(mixed, usd, stated, clusters_of(measured)),
        (*_cascade_doubts(measured), *doubts_of(first.scored), *doubts_of_baseline(baseline.scored)),
        notes=(_threshold_note(option, threshold, int(choosing.sum()), float(routed.mean())),),
        routed=routed.astype(np.float64),
    )


def _request_usd(asked: AskedOption, prompts: Sequence[Prompt]) -> NDArray[np.float64]:
    """Return the cost of a request for each prompt, at the medians of stated ranges; shape (prompts,)."""
    stated = sum(middle_of(part.usd) for part in stated_parts(asked.option.name, asked.costs.price, np.ones(1)))
    return np.array([float(asked.costs.usd[prompt.id]) + stated for prompt in prompts])


def _confidence(
    option: AnswerOption, first: AskedOption, prompts: Sequence[Prompt]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return the confidence of the first model, its pass rate, and how often it is asked; shape (prompts,) each."""
    if option.confidence is not None:
        stated = cascade.read_confidence(option.confidence)
        missing = next((prompt.id for prompt in prompts if prompt.id not in stated), None)
        if missing is not None:
            text = f"{option.confidence.name} has no confidence for the prompt {missing!r}; give one for each."
            raise Invalid(text, code="cascade_confidence", field="confidence")
        rates = first.rates
        return (
            np.array([stated[prompt.id] for prompt in prompts]),
            np.array([rates[prompt.id] for prompt in prompts]),
            np.ones(len(prompts)),
        )
    groups = [first.scored.attempts.by_prompt[prompt.id] for prompt in prompts]
    if not all(len(group) > 1 for group in groups):
        text = (
            f"The cascade {option.name} needs the confidence of {option.first} in its answers: a file of them, or two "
            "or more attempts at every prompt, whose agreement is taken."
        )
        raise Invalid(text, code="cascade_confidence", field="confidence")
    agreed = np.array([cascade.agreement(group) for group in groups])
    return agreed[:, 0], agreed[:, 1], np.array([float(len(group)) for group in groups])


def _cascade_doubts(measured: Sequence[Prompt]) -> Iterator[ValidityReason]:
    count = len(set(clusters_of(measured)))
    if count < FEW_CLUSTERS:
        text = (
            f"Half of the prompts measure the cascade: {count} clusters, and fewer than {FEW_CLUSTERS} are unreliable."
        )
        yield ValidityReason("prompts.few", Status.INDICATIVE, text)


def _threshold_note(
    option: AnswerOption, threshold: cascade.CascadeThreshold, chosen_on: int, share: float
) -> VerdictReason:
    when = "always" if np.isinf(threshold.value) else f"below a confidence of {threshold.value:.6g}"
    text = (
        f"{option.first} answers first; {when}, {option.then} is asked: {share:.1%} of the prompts. "
        f"The threshold was chosen on {chosen_on:,} prompts of other clusters than those measured."
    )
    return VerdictReason("cascade.threshold", text)
