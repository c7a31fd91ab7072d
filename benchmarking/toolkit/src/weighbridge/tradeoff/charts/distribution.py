"""The latency distribution: the share of inferences that a candidate answers within a time."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from weighbridge.charts.drawing import Chart, chart_of
from weighbridge.charts.tables import Table
from weighbridge.cli.tables.terminal import number
from weighbridge.core.errors import Invalid
from weighbridge.statistics.order_statistics import percentile
from weighbridge.tradeoff.candidates import Candidate
from weighbridge.tradeoff.charts.strokes import dashed_lines

CDF_STEPS = 200
CDF_SHARES = (0.5, 0.9, 0.95, 0.99)
NS_PER_MS = 1e6


def latency_cdf(candidates: Sequence[Candidate]) -> Chart:
    """Draw the share of inferences answered within each time, for candidates with samples; raise Invalid for none."""
    known = {
        each.name: np.asarray(each.samples.latency_ns, dtype=np.float64) / NS_PER_MS
        for each in candidates
        if each.samples is not None and each.samples.latency_ns
    }
    if not known:
        text = "No candidate has latency samples; measure them again to draw their distribution."
        raise Invalid(text, code="chart_samples", field="candidates")
    shares = (np.arange(CDF_STEPS) + 0.5) / CDF_STEPS
    rows = [
        {"candidate": name, "x": float(at), "y": float(share)}
        for name, samples in known.items()
        for share, at in zip(shares, np.quantile(samples, shares), strict=True)
    ]
    lines = dashed_lines(
        rows, list(known), key="candidate", title="latency (ms)", up="share of inferences", is_log=_is_wide(rows)
    )
    table = Table(
        "Latency distribution in milliseconds",
        ("candidate", *(f"p{share * 100:g}" for share in CDF_SHARES), "samples"),
        tuple(
            (name, *(number(percentile(samples, share)) for share in CDF_SHARES), f"{len(samples):,}")
            for name, samples in known.items()
        ),
        frozenset(range(1, len(CDF_SHARES) + 2)),
    )
    alt = (
        f"Share of inferences answered within a time, for {len(known)} candidates. "
        + "; ".join(
            f"{name}: half within {number(percentile(samples, 0.5))} ms, 99 % within "
            f"{number(percentile(samples, 0.99))} ms"
            for name, samples in known.items()
        )
        + "."
    )
    return chart_of(lines, title="Latency distribution", alt=alt, table=table)


def _is_wide(rows: Sequence[Mapping[str, Any]]) -> bool:
    values = [row["x"] for row in rows]
    return bool(min(values) > 0 and max(values) / min(values) > 8)
