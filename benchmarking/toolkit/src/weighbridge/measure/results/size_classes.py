"""Latency by the size of the query, for queries of different sizes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from weighbridge.measure import metrics
from weighbridge.measure.loops.latency import LatencyRun

CLASSES = 4


def latency_by_size(run: LatencyRun, sizes: NDArray[np.int64] | None) -> list[dict[str, Any]] | None:
    """Return the percentiles of up to four classes of queries with about as many queries each, smallest first.

    `sizes` has the number of values in each query. A class has its smallest and largest size, its samples, and the
    percentiles that they suffice for. None without sizes, and where queries overlapped.
    """
    if sizes is None or run.queries is None:
        return None
    queries = run.queries
    shares = np.arange(1, CLASSES) / CLASSES
    largest = np.unique(np.quantile(sizes, shares, method="inverted_cdf"))
    places = np.searchsorted(largest[largest < sizes.max()], sizes[queries], side="left")
    return [_class(sizes[queries[places == place]], run.latencies_ns[places == place]) for place in np.unique(places)]


def _class(sizes: NDArray[np.int64], latencies_ns: NDArray[np.int64]) -> dict[str, Any]:
    return {
        "values_min": int(sizes.min()),
        "values_max": int(sizes.max()),
        "n": len(sizes),
        "metrics": metrics.latency_of(latencies_ns),
    }
