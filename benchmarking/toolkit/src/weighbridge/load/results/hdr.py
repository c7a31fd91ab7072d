"""Export of response times as an HdrHistogram log for other tools. Percentiles are never computed from it."""

import io
from collections.abc import Iterator
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from weighbridge.load.results.samples import LoadSamples

MAX_US = 3_600_000_000
DIGITS = 3
US_PER_MS = 1_000.0


def hdr_log(samples: LoadSamples, *, started_at: datetime) -> bytes:
    """Return the log of the response times of answers (microseconds), one histogram per second."""
    from hdrh.histogram import HdrHistogram
    from hdrh.log import HistogramLogWriter

    start_s, file = started_at.timestamp(), io.StringIO()
    writer = HistogramLogWriter(file)
    writer.output_comment("response time from the moment a request was due, in microseconds")
    writer.output_log_format_version()
    # The function of the writer for this line confuses milliseconds with seconds.
    file.write(f"#[StartTime: {start_s:.3f} (seconds since epoch), {started_at.isoformat()}]\n")
    writer.output_legend()
    for second, times_us in by_second(samples):
        histogram = HdrHistogram(1, MAX_US, DIGITS)
        for value in times_us.tolist():
            histogram.record_value(value)
        writer.output_interval_histogram(histogram, start_s + second, start_s + second + 1, US_PER_MS)
    return file.getvalue().encode("ascii")


def by_second(samples: LoadSamples) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """Yield each second with answers, and the response times (requests,) in microseconds of requests due in it."""
    due_ns = samples.scheduled_ns[samples.answered]
    times_us = np.maximum((samples.done_ns[samples.answered] - due_ns) // 1_000, 1)
    seconds = due_ns // 1_000_000_000
    for second in np.unique(seconds).tolist():
        yield second, times_us[seconds == second]
