"""The HdrHistogram export, read back by the library other tools use."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogReader

from tests.unit.toolkit.load.servers import samples_of
from weighbridge.load.results.hdr import by_second, hdr_log
from weighbridge.load.results.samples import LoadSamples, RequestOutcome

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)


def test_what_is_read_back_is_what_was_measured(tmp_path):
    due = np.arange(3000, dtype=np.int64) * 1_000_000
    done = due + (np.random.default_rng(1).exponential(20.0, 3000) * 1e6).astype(np.int64)
    samples = LoadSamples(due, due, due, done, np.full(3000, RequestOutcome.ANSWERED, dtype=np.uint8))
    (tmp_path / "r.hdr").write_bytes(hdr_log(samples, started_at=AT))
    whole, seconds = HdrHistogram(1, 3_600_000_000, 3), 0
    reader = HistogramLogReader(str(tmp_path / "r.hdr"), HdrHistogram(1, 3_600_000_000, 3))
    while (one := reader.get_next_interval_histogram()) is not None:
        assert one.get_total_count() == 1000
        whole.add(one)
        seconds += 1
    reader.close()
    assert seconds == 3
    for p in (50, 95, 99):
        assert whole.get_value_at_percentile(p) == pytest.approx(np.percentile((done - due) / 1e3, p), rel=0.02)
    text = (tmp_path / "r.hdr").read_text()
    assert f"#[StartTime: {AT.timestamp():.3f} (seconds since epoch), 2026-11-25T12:00:00+00:00]\n" in text


def test_only_answers_are_exported_and_none_is_shorter_than_a_microsecond():
    samples = samples_of(
        (0, 0, 0, 0.0001, RequestOutcome.ANSWERED),
        (1, 1, 1, 500, RequestOutcome.LOST),
        (2500, 2500, 2500, 2502, RequestOutcome.ANSWERED),
    )
    assert [(second, times.tolist()) for second, times in by_second(samples)] == [(0, [1]), (2, [2000])]
