"""Metrics of rankings: the rows of a query are ordered by their scores, and a metric is the mean over queries.

Rows with equal scores have no order, so a metric is its mean over all orders of them (McSherry and Najork 2008).
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from weighbridge.core.extras import import_extra
from weighbridge.quality.metrics.prepared import Prepared, ratio_of
from weighbridge.quality.metrics.registry import Task, Undefined, register
from weighbridge.quality.predictions.rows import Rows

NAMED = 5
OfQuery = Callable[[NDArray[np.float64], NDArray[np.float64]], float]


@register("ndcg@k", task=Task.RANKING, parameter=10)
def ndcg(rows: Rows, k: float) -> Prepared:
    """Return NDCG of the first k rows (Järvelin and Kekäläinen 2002), gain = relevance, by scikit-learn."""
    dcg = import_extra("sklearn.metrics").dcg_score

    def of_query(relevance: NDArray[np.float64], scores: NDArray[np.float64]) -> float:
        # A row without relevance below all others changes nothing, and scikit-learn refuses a query of one row.
        gains, own = np.append(relevance, 0.0)[None], np.append(scores, scores.min() - 1)[None]
        return float(dcg(gains, own, k=int(k)) / dcg(gains, gains, k=int(k)))

    return _mean_over_queries(rows, of_query)


@register("recall@k", task=Task.RANKING, parameter=10)
def recall_at(rows: Rows, k: float) -> Prepared:
    """Return the share of the relevant rows (relevance above 0) of a query that are among its first k rows."""
    return _mean_over_queries(rows, lambda relevance, scores: _found(relevance > 0, scores, int(k)))


@register("mrr", task=Task.RANKING)
def mrr(rows: Rows) -> Prepared:
    """Return the mean of 1 / the rank of the first relevant row (relevance above 0)."""
    return _mean_over_queries(rows, lambda relevance, scores: _reciprocal(relevance > 0, scores))


def _found(is_relevant: NDArray[np.bool_], scores: NDArray[np.float64], k: int) -> float:
    """Return the expected share of relevant rows among the first k, over all orders of rows with equal scores."""
    limit = np.sort(scores)[::-1][min(k, len(scores)) - 1]
    above, level = scores > limit, scores == limit
    places = min(k, len(scores)) - int(above.sum())
    return float((is_relevant[above].sum() + is_relevant[level].sum() * places / level.sum()) / is_relevant.sum())


def _reciprocal(is_relevant: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    """Return the expected 1 / rank of the first relevant row, over all orders of the rows with its score."""
    best = scores[is_relevant].max()
    before, tied = int(np.sum(scores > best)), scores == best
    size, relevant = int(tied.sum()), int((tied & is_relevant).sum())
    # The first relevant of the tied rows is in place j if the j - 1 before it are others.
    expected, chance = 0.0, 1.0
    for place in range(size - relevant + 1):
        left = size - place
        expected += chance * relevant / left / (before + place + 1)
        chance *= (left - relevant) / left
    return expected


def _mean_over_queries(rows: Rows, of_query: OfQuery) -> Prepared:
    """Return the mean over queries; a query stands in its first row. Those without a relevant row are left out."""
    values, counts = np.zeros(len(rows)), np.zeros(len(rows))
    without = []
    for name, places in queries_of(rows["query"]):
        relevance = rows["relevance"][places]
        if relevance.max() <= 0:
            without.append(str(name))
            continue
        values[places[0]], counts[places[0]] = of_query(relevance, rows["scores"][places]), 1
    if not counts.any():
        raise Undefined("No query has a relevant row, so that no ranking is better than another.")
    is_used = np.isin(rows["query"], rows["query"][counts > 0])
    return ratio_of(values, counts, _words(without, int(counts.sum()) + len(without)), is_used)


def queries_of(queries: NDArray[np.generic]) -> Iterator[tuple[object, NDArray[np.int64]]]:
    """Yield each query with the numbers of its rows, in their order."""
    names, of_row = np.unique(queries, return_inverse=True)
    order = np.argsort(of_row, kind="stable")
    starts = np.searchsorted(of_row[order], np.arange(len(names)))
    yield from zip(names, np.split(order, starts[1:]), strict=True)


def _words(without: list[str], of: int) -> str:
    if not without:
        return ""
    more = f" and {len(without) - NAMED:,} more" if len(without) > NAMED else ""
    listed = ", ".join(without[:NAMED])
    return f"{len(without):,} of {of:,} queries have no relevant row and are left out: {listed}{more}."
