"""Queueing: how many servers keep response times within a limit (Erlang B and C, M/M/c, approximately M/G/c).

A server handles one request at a time: a thread, or a slot of a replica. `offered` load is in Erlang: arrivals per
second times service seconds per request. These formulas do not apply to continuous batching of language models. For
those, measure the rate that one replica sustains within the limits, and divide (`load.capacity`).
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid

# Bisection steps over an interval of `servers`: well below the resolution of any measurement.
HALVINGS = 32
LOAD_MAX = 50_000
NEAR = 1e-6
Load = Any


def erlang_b(servers: Load, offered: Load) -> Load:
    """Return the probability that all `servers` are busy and a request is lost; numbers or arrays alike.

    B = P[Poisson(a) = c] / P[Poisson(a) <= c], which is the recursion B_k = a·B_(k-1) / (k + a·B_(k-1)) in closed form.
    """
    from scipy.special import gammaincc, gammaln, xlogy

    return np.exp(xlogy(servers, offered) - offered - gammaln(servers + 1)) / gammaincc(servers + 1, offered)


def erlang_c(servers: Load, offered: Load) -> Load:
    """Return the probability that a request waits: C = B / (1 - (a/c)·(1 - B)), for loads below `servers`."""
    blocked = erlang_b(servers, offered)
    return blocked / (1 - offered / servers * (1 - blocked))


def response_tail(limit_s: float, *, servers: int, rate_per_s: float, service_s: float, cv: float = 1.0) -> float:
    """Return P(response > limit_s) for waiting plus service; 1 if the load cannot be served.

    `cv` is the coefficient of variation of the service time. 1 is M/M/c, exact. Below 1, service is a fixed plus an
    exponential part, and waiting is scaled by (1 + cv²)/2 (Allen and Cunneen); above 1, only waiting is scaled.
    """
    offered = rate_per_s * service_s
    if offered >= servers:
        return 1.0
    return float(_tail(limit_s / service_s, np.asarray(float(servers)), np.asarray(offered), cv))


def _tail(limit: Load, servers: NDArray[np.float64], offered: NDArray[np.float64], cv: float) -> NDArray[np.float64]:
    """Return P(response > limit), limit in mean service times: waiting ends at rate `leave`, service at `serve`."""
    spread = min(cv, 1.0)
    left = np.maximum(limit - (1 - spread), 0.0)
    waits = erlang_c(servers, offered)
    leave = (servers - offered) * 2 / (1 + cv * cv)
    if spread == 0:
        tail = waits * np.exp(-leave * left)
    else:
        serve = 1 / spread
        gap = leave - serve
        # Where both rates are equal the two exponentials merge; slightly beside it the formula is still accurate.
        gap = np.where(np.abs(gap) < NEAR, NEAR, gap)
        alone = np.exp(-serve * left)
        both = ((serve + gap) * alone - serve * np.exp(-(serve + gap) * left)) / gap
        tail = np.minimum(1.0, (1 - waits) * alone + waits * both)
    return np.asarray(np.where(np.asarray(limit) < 1 - spread, 1.0, tail))


def highest_loads_of(
    servers: NDArray[np.float64], services_s: NDArray[np.float64], *, limit_s: float, share: float, cv: float
) -> NDArray[np.float64]:
    """Return the highest load that meets the limit, for each service time (rows) and number of servers (columns)."""
    limits = (limit_s / services_s)[:, None]
    low = np.zeros((len(services_s), len(servers)))
    high = np.tile(servers, (len(services_s), 1))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        is_kept = _tail(limits, servers, middle, cv) <= 1 - share
        low, high = np.where(is_kept, middle, low), np.where(is_kept, high, middle)
    return low


def can_serve(service_s: float, *, limit_s: float, share: float = 0.95, cv: float = 1.0) -> bool:
    """Return whether an idle server answers `share` of the requests within `limit_s`."""
    spread = min(cv, 1.0)
    left = limit_s / service_s - (1 - spread)
    tail = 1.0 if left < 0 else math.exp(-left / spread) if spread else 0.0
    return tail <= 1 - share


def check_served(service_s: float, *, limit_s: float, share: float = 0.95, cv: float = 1.0) -> None:
    """Raise Invalid if no number of servers suffices because the service alone takes longer than the limit."""
    if not can_serve(service_s, limit_s=limit_s, share=share, cv=cv):
        raise Invalid(
            f"No number of replicas answers {share:.0%} of requests within {limit_s * 1e3:g} ms: one request alone "
            f"keeps a server busy for {service_s * 1e3:g} ms. Raise the limit or serve a faster model.",
            code="load_unserved",
            field="limit_s",
        )


def enough(offered: float, *, service_s: float, limit_s: float, share: float, cv: float) -> int:
    """Return a sufficient number of servers, close to the minimum; raise Invalid if there is none."""
    check_served(service_s, limit_s=limit_s, share=share, cv=cv)
    if offered > LOAD_MAX:
        text = f"The peak needs {offered:,.0f} busy servers; at most {LOAD_MAX:,} are supported."
        raise Invalid(text, code="load_unserved", field="requests_per_year")
    servers = math.ceil(offered) + 1
    while (
        response_tail(limit_s, servers=servers, rate_per_s=offered / service_s, service_s=service_s, cv=cv) > 1 - share
    ):
        servers += max(1, servers // 16)
    return servers
