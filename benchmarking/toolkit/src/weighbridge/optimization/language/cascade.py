"""Cascades: a cheap model answers first, and prompts on which it is not confident go on to a dearer one.

The threshold of confidence is chosen on one half of the clusters of prompts, and quality and cost are measured on the
other half: measured on the half that chose it, a threshold looks better than it is.
"""

import dataclasses
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.quality.prompts.json_lines import LineLimits, read_lines
from weighbridge.quality.prompts.outcomes import Outcome, Scored

LEAST_CLUSTERS = 4
# The threshold may lose half of the margin where it is chosen, so that the other half is left for chance.
CHOSEN_SHARE_OF_MARGIN = 0.5


@dataclasses.dataclass(frozen=True)
class CascadeThreshold:
    """Prompts whose confidence is below `value` go on to the second model; all of them at infinity."""

    value: float

    def goes_on(self, confidence: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which prompts go on, shape (prompts,)."""
        return confidence < self.value


def read_confidence(path: Path) -> Mapping[str, float]:
    """Return the confidence by prompt from lines like `{"id": "t-1", "confidence": 0.93}`; raise Invalid."""
    lines, _ = read_lines(path, _line, field="confidence", limits=LineLimits(bytes_max=64_000_000))
    found = dict(lines)
    if len(found) < len(lines):
        repeated = next(name for name, count in Counter(name for name, _ in lines).items() if count > 1)
        raise Invalid(f"{path.name} repeats the prompt {repeated!r}; give one confidence each.", field="confidence")
    return found


def _line(reader: Reader) -> tuple[str, float]:
    return reader.text("id"), float(reader.number("confidence"))


def agreement(attempts: Sequence[Scored]) -> tuple[float, float]:
    """Return the share of attempts with the most frequent answer, and 1 if that passes, else 0.

    Of answers that are equally frequent, the earliest counts.
    """
    contents = [_content(each) for each in attempts]
    content, count = Counter(contents).most_common(1)[0]
    chosen = attempts[contents.index(content)]
    return count / len(attempts), float(chosen.outcome is Outcome.PASSED)


def _content(scored: Scored) -> tuple[object, ...]:
    answer = scored.answer
    return answer.text.strip(), answer.tool_calls, answer.refusal, answer.error


def halves(clusters: Sequence[str], *, seed: int) -> NDArray[np.bool_]:
    """Return which prompts choose the threshold, shape (prompts,): those of half of the clusters, drawn by the seed.

    Raises Invalid for fewer than four clusters.
    """
    names, places = np.unique(np.asarray(clusters), return_inverse=True)
    if len(names) < LEAST_CLUSTERS:
        text = (
            f"The cascade has prompts of {len(names)} clusters; half of them choose the threshold and the others "
            f"measure it, so give {LEAST_CLUSTERS} or more."
        )
        raise Invalid(text, code="cascade_clusters", field="prompts")
    choosing = np.zeros(len(names), dtype=bool)
    choosing[np.random.default_rng(seed).permutation(len(names))[: len(names) // 2]] = True
    return np.asarray(choosing[places])


def choose_threshold(
    confidence: NDArray[np.float64],
    change: NDArray[np.float64],
    then_usd: NDArray[np.float64],
    *,
    baseline_change: NDArray[np.float64],
    margin: float,
) -> CascadeThreshold:
    """Return the threshold of the lowest cost whose mean loss is at most half of the margin; arrays of (prompts,).

    `change` is the pass rate of the first model minus the baseline's, `baseline_change` that of the second model, and
    `then_usd` what it costs to ask the second one. If no threshold keeps the quality, all prompts go on. Prompts of
    equal confidence go on together.
    """
    order = np.argsort(confidence, kind="stable")
    ranked = confidence[order]
    moved = np.concatenate([[0.0], np.cumsum((baseline_change - change)[order])])
    losses = -(float(change.sum()) + moved) / len(change)
    costs = np.concatenate([[0.0], np.cumsum(then_usd[order])])
    # At place k, the k prompts of the lowest confidence go on; a threshold cannot part equal ones.
    places = np.concatenate([np.flatnonzero(np.diff(ranked, prepend=-math.inf)), [len(ranked)]])
    kept = places[losses[places] <= CHOSEN_SHARE_OF_MARGIN * margin + 1e-12]
    if not len(kept):
        return CascadeThreshold(math.inf)
    place = kept[np.argmin(costs[kept])]
    return CascadeThreshold(math.inf if place == len(ranked) else float(ranked[place]))
