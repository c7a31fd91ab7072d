"""The schedule of requests, drawn before the run, so that a slow server cannot slow it down."""

import numpy as np
from numpy.typing import NDArray

from weighbridge.load.chat.prompts import prompts_of, trace_times_s
from weighbridge.load.plan import HOURS_OF_WEEK, Arrivals, LoadPlan

NS_PER_S = 1_000_000_000


def due_times_ns(plan: LoadPlan) -> NDArray[np.int64]:
    """Return the due times of requests in nanoseconds from the start, ascending, all before the end.

    CONSTANT is exact: `rate_per_s` x `duration_s` requests. TRACE has the times of the prompts. The others are Poisson
    processes of the same seed: RAMP increases linearly from `start_rate_per_s` to `rate_per_s`; WEEK uses each of 168
    hourly weights for 1/168 of the duration, with `rate_per_s` at the largest weight. In a closed loop, these are the
    starts of the users, spread at random over one think time.
    """
    if plan.is_closed:
        starts_s = np.random.default_rng(plan.seed).random(plan.users) * min(plan.think_s, plan.duration_s)
        return np.sort((starts_s * NS_PER_S).astype(np.int64))
    if plan.arrivals is Arrivals.TRACE and plan.chat is not None:
        trace_ns = np.array(trace_times_s(prompts_of(plan.chat), speed=plan.chat.speed)) * NS_PER_S
        return trace_ns[trace_ns < plan.duration_s * NS_PER_S].astype(np.int64)
    rate_per_s, start_per_s, duration_s = plan.rate_per_s, plan.start_rate_per_s, plan.duration_s
    if plan.arrivals is Arrivals.CONSTANT:
        times_s = np.arange(int(rate_per_s * duration_s + 1e-9)) / rate_per_s
    elif plan.arrivals is Arrivals.POISSON:
        times_s = _events(rate_per_s * duration_s, plan.seed) / rate_per_s
    elif plan.arrivals is Arrivals.RAMP:
        slope = (rate_per_s - start_per_s) / duration_s
        expected = _events((rate_per_s + start_per_s) / 2 * duration_s, plan.seed)
        # The root of start x t + slope x t^2 / 2 = expected in a form that is valid for a slope of zero.
        times_s = 2 * expected / (start_per_s + np.sqrt(start_per_s**2 + 2 * slope * expected))
    else:
        times_s = _along_a_week(plan)
    last_ns = int(duration_s * NS_PER_S) - 1
    return np.minimum((times_s * NS_PER_S).astype(np.int64), last_ns)


def _along_a_week(plan: LoadPlan) -> NDArray[np.float64]:
    rates = np.asarray(plan.week, dtype=np.float64) / max(plan.week) * plan.rate_per_s
    expected = np.concatenate([[0.0], np.cumsum(rates * plan.duration_s / HOURS_OF_WEEK)])
    times_s = np.linspace(0.0, plan.duration_s, HOURS_OF_WEEK + 1)
    return np.interp(_events(float(expected[-1]), plan.seed), expected, times_s)


def _events(expected: float, seed: int) -> NDArray[np.float64]:
    """Return a unit-rate Poisson process on (0, expected], sorted.

    Given their number, the events of a Poisson process are independent and uniform. Stretching its axis by the inverse
    of the expected count gives a process of any rate (Cinlar 1975, inversion).
    """
    rng = np.random.default_rng(seed)
    return np.sort(expected * (1.0 - rng.random(int(rng.poisson(expected)))))
