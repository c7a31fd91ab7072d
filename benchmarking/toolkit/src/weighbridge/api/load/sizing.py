"""`size_replicas`: the replicas of a language model server for a peak."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from weighbridge.api.documents import Source, document_of
from weighbridge.api.job_progress import now
from weighbridge.api.results import Result, Row
from weighbridge.core.errors import Invalid
from weighbridge.load.capacity.goodput import goodput_curve
from weighbridge.load.capacity.replica_sizing import Demand, size_for
from weighbridge.load.capacity.runs_files import read_runs, runs_from
from weighbridge.load.capacity.sizing_document import as_document, sizing_parts


def size_replicas(
    runs: Sequence[Source],
    *,
    peak_rate: float,
    good: float = 0.95,
    balance: float = 0.9,
    spare: int = 1,
    input_tokens: float | None = None,
    output_tokens: float | None = None,
) -> Result:
    """Size the replicas of a language model server for a peak, from runs of one replica at several rates.

    `runs` are results of streaming load tests with equal limits and workloads, or one file in CSV with the header
    `rate,good,n,seed`. `good` is the share of requests to be answered within all limits, `peak_rate` in requests per
    second. The replicas are ceil(peak_rate / (r * balance)) + spare, where r is the largest rate at which the lower
    95 % bound of the share is `good`; the bound accounts for differences between runs. `input_tokens` and
    `output_tokens` are the planned means per request, which the runs should have.

    The result is a `weighbridge.sizing/1` document; its replicas have P10, P50, P90 and a 90 % interval, None if no
    number is shown to be enough. `to_pandas()` has a row for each measured rate. Raises Invalid for runs that cannot be
    used together.
    """
    sources = [document_of(each) for each in runs]
    files = [each for each in sources if isinstance(each, Path)]
    if len(files) not in (0, len(sources)):
        raise Invalid("Give all runs as files, or all as results.", code="runs_mixed", field="runs")
    taken = read_runs(files) if files else runs_from([(f"Run {n}", each) for n, each in enumerate(sources, start=1)])
    planned = {"input_tokens_mean": input_tokens, "output_tokens_mean": output_tokens}
    demand = Demand(
        peak_per_s=peak_rate,
        balance=balance,
        spare=spare,
        mean_tokens={name: tokens for name, tokens in planned.items() if tokens is not None},
    )
    sizing = size_for(goodput_curve(taken.runs, target=good), demand, taken)
    document = as_document(sizing, taken, now=now())
    return Result(document, tuple(_curve_rows(document)), lambda: sizing_parts(document))


def _curve_rows(document: Mapping[str, Any]) -> Iterator[Row]:
    """Yield a row for each measured rate: goodput and the share of good requests with their bounds."""
    for point in document["curve"]:
        bounds = {
            f"{name}_{key}": value for name in ("good_share", "goodput_per_s") for key, value in point[name].items()
        }
        yield {"rate_per_s": point["rate_per_s"], "seeds": point["seeds"], "n": point["n"], **bounds}
