"""The scored answers of a file, by prompt: what rates, slices and differences are computed from."""

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid
from weighbridge.quality.prompts.answer_file import PromptAnswer
from weighbridge.quality.prompts.outcomes import Outcome, Scored, Scoring
from weighbridge.quality.prompts.prompt_file import Prompt
from weighbridge.statistics.clustered import ClusterSums, cluster_sums, clustered_share
from weighbridge.statistics.order_statistics import Interval, wilson_interval

NAMED = 3
WILSON = "Wilson"


@dataclasses.dataclass(frozen=True)
class Attempts:
    """The scored answers of each prompt that has any, in the order of the prompts, and prompts without an answer."""

    by_prompt: Mapping[str, tuple[Scored, ...]]
    missing: tuple[str, ...]

    @property
    def all(self) -> tuple[Scored, ...]:
        """All answers."""
        return tuple(each for scored in self.by_prompt.values() for each in scored)


def attempts_of(prompts: Sequence[Prompt], answers: Sequence[PromptAnswer], scoring: Scoring) -> Attempts:
    """Score answers; raise Invalid for an answer to a prompt that is not in the file of prompts."""
    known = {each.id: each for each in prompts}
    unknown = sorted({each.id for each in answers} - known.keys())
    if unknown:
        more = f" and {len(unknown) - NAMED:,} more" if len(unknown) > NAMED else ""
        text = f"Answers name prompts that the file of prompts lacks: {', '.join(unknown[:NAMED])}{more}."
        raise Invalid(text, code="answers_unknown", field="answers")
    scored: dict[str, list[Scored]] = {name: [] for name in known}
    for answer in answers:
        scored[answer.id].append(scoring.score(known[answer.id], answer))
    return Attempts(
        {name: tuple(each) for name, each in scored.items() if each},
        tuple(name for name, each in scored.items() if not each),
    )


@dataclasses.dataclass(frozen=True)
class PromptValues:
    """A value of each of some prompts, shape (prompts,): the mean over its attempts. `is_binary`: each is 0 or 1."""

    prompts: tuple[Prompt, ...]
    values: NDArray[np.float64]

    @property
    def clusters(self) -> list[str] | None:
        """The cluster of each prompt, its own if it states none; None if no prompt states any."""
        if not any(each.cluster for each in self.prompts):
            return None
        return [f"cluster {each.cluster}" if each.cluster else f"prompt {each.id}" for each in self.prompts]

    @property
    def sums(self) -> ClusterSums:
        """The sums by cluster."""
        return cluster_sums(self.values, self.clusters)

    @property
    def is_binary(self) -> bool:
        """Whether each value is 0 or 1."""
        return bool(np.isin(self.values, (0.0, 1.0)).all())

    def share(self, confidence: float) -> Interval | None:
        """Return the mean with its interval: Wilson's for single answers without clusters, else cluster-robust.

        None without prompts, and for a single cluster.
        """
        if not self.prompts:
            return None
        if self.clusters is None and self.is_binary:
            interval = wilson_interval(round(float(self.values.sum())), len(self.values), confidence)
            return None if interval is None else dataclasses.replace(interval, method=WILSON)
        return clustered_share(self.sums, confidence)


def values_of(attempts: Attempts, value: Callable[[Scored], float], names: Iterable[str] | None = None) -> PromptValues:
    """Return the mean of a value over the attempts of each prompt; of all prompts with answers, or of some."""
    chosen = [name for name in (attempts.by_prompt if names is None else names) if name in attempts.by_prompt]
    groups = [attempts.by_prompt[name] for name in chosen]
    means = [float(np.mean([value(each) for each in group])) for group in groups]
    return PromptValues(tuple(group[0].prompt for group in groups), np.array(means))


def passes(attempts: Attempts, scoring: Scoring) -> PromptValues:
    """Return the share of passed attempts of each prompt with a scorer."""
    names = [name for name, group in attempts.by_prompt.items() if scoring.has_scorer(group[0].prompt)]
    return values_of(attempts, lambda each: each.outcome is Outcome.PASSED, names)
