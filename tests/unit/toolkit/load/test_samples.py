"""Samples: counted, written, read, laid together."""

import io

import numpy as np

from tests.unit.toolkit.load.servers import samples_of
from weighbridge.load.results.samples import NEVER, RequestOutcome, merge_samples, read_samples

FIRST = samples_of(
    (0, 0, 0, 4, RequestOutcome.ANSWERED),
    (2, 2, None, 9, RequestOutcome.NO_CONNECTION),
    (4, None, None, None, RequestOutcome.UNSETTLED),
)
SECOND = samples_of((1, 1, 1, 3, RequestOutcome.LOST), (3, 3, 3, 5, RequestOutcome.LOST))


def test_parts_lie_together_in_order_of_the_schedule():
    whole = merge_samples([FIRST, SECOND])
    assert (whole.scheduled_ns / 1e6).tolist() == [0, 1, 2, 3, 4]
    assert (whole.done_ns[:4] / 1e6).tolist() == [4, 3, 9, 5]
    assert whole.sent_ns[2] == whole.done_ns[4] == NEVER
    assert whole.outcome.tolist() == [1, 6, 9, 6, 0]
    assert whole.failures == {"lost": 2, "no_connection": 1}
    assert whole.settled.tolist() == [True] * 4 + [False]
    assert whole.answered.tolist() == [True] + [False] * 4


def test_what_was_written_is_read():
    read = read_samples(io.BytesIO(FIRST.as_bytes()))
    for name in ("scheduled_ns", "taken_ns", "sent_ns", "done_ns", "outcome"):
        assert (getattr(read, name) == getattr(FIRST, name)).all()
        assert getattr(read, name).dtype == getattr(FIRST, name).dtype
    assert read.outcome.dtype == np.uint8
