"""Warm-up: run until the two halves of the latest inferences agree, or until the time limit.

The test is the warm-up calibration of pyperf (`_worker.py`): caches, allocators and clocks have settled if the second
half of a window is neither faster nor has another spread than the first.
"""

import dataclasses
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from weighbridge.measure.scenarios import WarmUp
from weighbridge.measure.stopping import Clock


@dataclasses.dataclass(frozen=True)
class WarmUpReport:
    """Inferences and duration of the warm-up, and whether it settled."""

    inferences: int
    duration_s: float
    is_settled: bool


def halves_agree(samples: Sequence[float]) -> bool:
    """Return whether the two halves of the samples agree, by the four conditions of pyperf.

    The first sample is not an outlier of the rest (at most Q3 + 1.5 IQR); the mean of the first half is at most 10 %
    above and 50 % below that of the second; the median absolute deviations differ by at most 10 %; the quartiles by 5
    %.
    """
    values = np.asarray(samples, dtype=np.float64)
    first, second = values[: len(values) // 2], values[len(values) // 2 :]
    q1, q3 = np.quantile(values[1:], [0.25, 0.75])
    if values[0] > q3 + 1.5 * (q3 - q1):
        return False
    if not -0.5 <= _change(float(first.mean()), float(second.mean())) <= 0.1:
        return False
    if abs(_change(_spread(first), _spread(second))) > 0.1:
        return False
    return all(
        abs(_change(float(a), float(b))) <= 0.05
        for a, b in zip(np.quantile(first, [0.25, 0.75]), np.quantile(second, [0.25, 0.75]), strict=True)
    )


def warm_up(
    infer: Callable[[int], None], *, settings: WarmUp, clock: Clock, on_tick: Callable[[], None]
) -> WarmUpReport:
    """Call `infer(index)` until the halves of the latest values agree, or for the maximum duration.

    `clock` counts nanoseconds; `on_tick` is called after every value and may raise to stop.
    """
    begun = clock()
    limit_at = begun + int(settings.max_duration_s * 1e9)
    values: deque[float] = deque(maxlen=settings.values)
    inferences, step = 0, max(1, settings.values // 8)
    while True:
        for _ in range(step):
            count, mean_ns = _value(infer, inferences, at_least_ns=settings.value_ms * 1e6, clock=clock)
            inferences += count
            values.append(mean_ns)
            on_tick()
            if clock() > limit_at:
                return WarmUpReport(inferences, (clock() - begun) / 1e9, is_settled=False)
        if len(values) == settings.values and halves_agree(list(values)):
            return WarmUpReport(inferences, (clock() - begun) / 1e9, is_settled=True)


def _value(infer: Callable[[int], None], index: int, *, at_least_ns: float, clock: Clock) -> tuple[int, float]:
    """Run inferences until `at_least_ns` have passed; return their number and mean time in nanoseconds."""
    begun, count = clock(), 0
    while True:
        infer(index + count)
        count += 1
        elapsed_ns = clock() - begun
        if elapsed_ns >= at_least_ns:
            return count, elapsed_ns / count


def _change(first: float, second: float) -> float:
    if first == second:
        return 0.0
    return (first - second) / second if second else float("inf")


def _spread(values: NDArray[np.float64]) -> float:
    return float(np.median(np.abs(values - np.median(values))))
