"""Samples: four moments of every request, and what became of it. Raw, so that parts of a test merge by
laying together.
"""

import dataclasses
import io
from collections.abc import Sequence
from enum import IntEnum
from typing import IO

import numpy as np
from numpy.typing import NDArray

NEVER = -1


class RequestOutcome(IntEnum):
    """What became of a request. UNSETTLED: the test ended before it was due, or before anything was known of it."""

    UNSETTLED = 0
    ANSWERED = 1
    WRONG_STATUS = 2
    WRONG_ANSWER = 3
    TIMED_OUT = 4
    REFUSED = 5
    LOST = 6
    GARBAGE = 7
    TOO_LARGE = 8
    NO_CONNECTION = 9


@dataclasses.dataclass(frozen=True)
class LoadSamples:
    """Arrays (requests,) in order of the schedule; times in nanoseconds from the start, NEVER (-1) where there is none.

    `scheduled_ns` is when a request was due, `taken_ns` when the generator took it up, `sent_ns` when a connection was
    free
    and its bytes went out, `done_ns` when the whole answer was there or the request had failed. `outcome` holds
    `RequestOutcome`.
    """

    scheduled_ns: NDArray[np.int64]
    taken_ns: NDArray[np.int64]
    sent_ns: NDArray[np.int64]
    done_ns: NDArray[np.int64]
    outcome: NDArray[np.uint8]

    @property
    def settled(self) -> NDArray[np.bool_]:
        """Mark the requests whose end is known."""
        return np.not_equal(self.outcome, RequestOutcome.UNSETTLED)

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Mark the requests that got the answer they were to get."""
        return np.equal(self.outcome, RequestOutcome.ANSWERED)

    @property
    def failures(self) -> dict[str, int]:
        """Count the failed requests by kind."""
        counts = np.bincount(self.outcome, minlength=len(RequestOutcome))
        return {
            kind.name.lower(): int(counts[kind])
            for kind in RequestOutcome
            if kind > RequestOutcome.ANSWERED and counts[kind]
        }

    def as_bytes(self) -> bytes:
        """Return the arrays as the content of an `.npz`."""
        file = io.BytesIO()
        np.savez_compressed(file, **{field.name: getattr(self, field.name) for field in dataclasses.fields(self)})
        return file.getvalue()


def read_samples(file: IO[bytes]) -> LoadSamples:
    """Read what `Samples.as_bytes` gave."""
    with np.load(file, allow_pickle=False) as arrays:
        return LoadSamples(**{field.name: arrays[field.name] for field in dataclasses.fields(LoadSamples)})


def merged(parts: Sequence[LoadSamples]) -> LoadSamples:
    """Lay the parts of one test together, in order of the schedule."""
    whole = [np.concatenate([getattr(part, field.name) for part in parts]) for field in dataclasses.fields(LoadSamples)]
    order = np.argsort(whole[0], kind="stable")
    return LoadSamples(*(array[order] for array in whole))
