"""Queueing: how many servers keep response times within a limit (Erlang B and C, M/M/c and nearly M/G/c).

A server is whatever answers one request at a time: a thread, a slot of a replica. `offered` load is in Erlang: arrivals
per second times busy seconds per request. Continuous batching of language models breaks these formulas: for those,
measure the rate that one replica sustains within the limit and divide.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.errors import Invalid

# Bisection halves an interval of `servers` this often: well below any measurement's resolution.
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
    """Return P(response > limit_s), waiting and service together; 1 where the load is not served.

    `cv` is the service time's standard deviation over its mean. 1 is M/M/c, exact. Below 1, service is a fixed part
    and an exponential one, and waiting is scaled by (1 + cv²)/2 (Allen and Cunneen); above 1, waiting alone is.
    """
    offered = rate_per_s * service_s
    if offered >= servers:
        return 1.0
    return float(_tail(limit_s / service_s, np.asarray(float(servers)), np.asarray(offered), cv))


def _tail(limit: Load, servers: NDArray[np.float64], offered: NDArray[np.float64], cv: float) -> NDArray[np.float64]:
    """P(response > limit), for limits in mean service times: waiting ends at rate `leave`, service at rate `serve`."""
    spread = min(cv, 1.0)
    left = np.maximum(limit - (1 - spread), 0.0)
    waits = erlang_c(servers, offered)
    leave = (servers - offered) * 2 / (1 + cv * cv)
    if spread == 0:
        tail = waits * np.exp(-leave * left)
    else:
        serve = 1 / spread
        gap = leave - serve
        # Where both rates are equal the two exponentials merge; a hair's breadth beside it the formula still holds.
        gap = np.where(np.abs(gap) < NEAR, NEAR, gap)
        alone = np.exp(-serve * left)
        both = ((serve + gap) * alone - serve * np.exp(-(serve + gap) * left)) / gap
        tail = np.minimum(1.0, (1 - waits) * alone + waits * both)
    return np.asarray(np.where(np.asarray(limit) < 1 - spread, 1.0, tail))


def highest_loads_of(
    servers: NDArray[np.float64], services_s: NDArray[np.float64], *, limit_s: float, share: float, cv: float
) -> NDArray[np.float64]:
    """Return the highest load for each service time (rows) and number of servers (columns); an idle server does for
    all.
    """
    limits = (limit_s / services_s)[:, None]
    low = np.zeros((len(services_s), len(servers)))
    high = np.tile(servers, (len(services_s), 1))
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        is_kept = _tail(limits, servers, middle, cv) <= 1 - share
        low, high = np.where(is_kept, middle, low), np.where(is_kept, high, middle)
    return low


def _idle_tail(service_s: float, limit_s: float, cv: float) -> float:
    """P(service > limit) on an idle server."""
    spread = min(cv, 1.0)
    left = limit_s / service_s - (1 - spread)
    return 1.0 if left < 0 else math.exp(-left / spread) if spread else 0.0


def can_serve(service_s: float, *, limit_s: float, share: float = 0.95, cv: float = 1.0) -> bool:
    """Return whether an idle server answers `share` of the requests within `limit_s`."""
    return _idle_tail(service_s, limit_s, cv) <= 1 - share


def check_served(service_s: float, *, limit_s: float, share: float = 0.95, cv: float = 1.0) -> None:
    """Raise Invalid where no number of servers could: the service alone takes longer than the limit."""
    if not can_serve(service_s, limit_s=limit_s, share=share, cv=cv):
        raise Invalid(
            f"No number of replicas answers {share:.0%} of requests within {limit_s * 1e3:g} ms: one request alone "
            "keeps "
            f"a server busy for {service_s * 1e3:g} ms. Raise the limit or serve a faster model.",
            code="load_unserved",
            field="limit_s",
        )


def enough(offered: float, *, service_s: float, limit_s: float, share: float, cv: float) -> int:
    """Return a number of servers that does, not far above the fewest; raise Invalid where none does."""
    check_served(service_s, limit_s=limit_s, share=share, cv=cv)
    if offered > LOAD_MAX:
        text = f"{offered:,.0f} busy servers at the peak are beyond what is computed here ({LOAD_MAX:,})."
        raise Invalid(text, code="load_unserved", field="requests_per_year")
    servers = math.ceil(offered) + 1
    while (
        response_tail(limit_s, servers=servers, rate_per_s=offered / service_s, service_s=service_s, cv=cv) > 1 - share
    ):
        servers += max(1, servers // 16)
    return servers
