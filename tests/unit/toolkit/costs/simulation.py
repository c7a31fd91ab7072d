"""An oracle that knows no formula: requests queue for the server that is free first."""

import heapq

import numpy as np


def response_times(*, servers, rate_per_s, service, requests, seed):
    """Return response times (s) of a first-come-first-served queue; `service(rng, n)` draws service times (s)."""
    rng = np.random.default_rng(seed)
    arrivals = np.cumsum(rng.exponential(1 / rate_per_s, requests))
    services = service(rng, requests)
    free_at = [0.0] * servers
    times = np.empty(requests)
    for index, (arrived, takes) in enumerate(zip(arrivals, services, strict=True)):
        begun = max(arrived, heapq.heappop(free_at))
        heapq.heappush(free_at, begun + takes)
        times[index] = begun + takes - arrived
    return times[requests // 20 :]
