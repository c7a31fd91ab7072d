"""Samples: four timestamps and the outcome of every request. They are raw, so that parts of a test can be merged."""

import dataclasses
import io
from collections.abc import Sequence
from enum import IntEnum
from typing import IO

import numpy as np
from numpy.typing import NDArray

NEVER = -1


class RequestOutcome(IntEnum):
    """The outcome of a request.

    UNSETTLED: the test ended before the request was due or had an outcome. ANSWERED: the expected status, with an
    unchecked body; CHECKED: the expected status and body. The kinds from BUSY on are those of streamed answers.
    """

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
    CHECKED = 10
    BUSY = 11
    CONTEXT_TOO_LONG = 12
    NOT_STREAMED = 13
    STREAM_ERROR = 14
    STALLED = 15
    CUT_SHORT = 16
    REPEATED = 17
    EMPTY = 18


RIGHT = (RequestOutcome.ANSWERED, RequestOutcome.CHECKED)


@dataclasses.dataclass(frozen=True)
class LoadSamples:
    """Arrays (requests,) in order of the schedule; times in nanoseconds from the start, NEVER (-1) if missing.

    `scheduled_ns` is when a request was due, `taken_ns` when the generator started it, `sent_ns` when it was sent
    on a free connection, `done_ns` when the answer was complete or the request failed. `outcome` is a `RequestOutcome`.
    """

    scheduled_ns: NDArray[np.int64]
    taken_ns: NDArray[np.int64]
    sent_ns: NDArray[np.int64]
    done_ns: NDArray[np.int64]
    outcome: NDArray[np.uint8]

    @property
    def settled(self) -> NDArray[np.bool_]:
        """Mask of the requests with a known outcome."""
        return np.not_equal(self.outcome, RequestOutcome.UNSETTLED)

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Mask of the requests with the expected answer, as far as it was checked."""
        return np.isin(self.outcome, RIGHT)

    @property
    def checked(self) -> NDArray[np.bool_]:
        """Mask of the requests whose answers had the expected status, and whose bodies were checked."""
        return np.isin(self.outcome, (RequestOutcome.CHECKED, RequestOutcome.WRONG_ANSWER))

    @property
    def failures(self) -> dict[str, int]:
        """The number of failed requests by kind."""
        counts = np.bincount(self.outcome, minlength=len(RequestOutcome))
        return {
            kind.name.lower(): int(counts[kind])
            for kind in RequestOutcome
            if kind not in (RequestOutcome.UNSETTLED, *RIGHT) and counts[kind]
        }

    def as_bytes(self) -> bytes:
        """Return the arrays as the content of an `.npz`."""
        file = io.BytesIO()
        np.savez_compressed(file, **{field.name: getattr(self, field.name) for field in dataclasses.fields(self)})
        return file.getvalue()


def read_samples(file: IO[bytes]) -> LoadSamples:
    """Read samples written by `LoadSamples.as_bytes`."""
    with np.load(file, allow_pickle=False) as arrays:
        return LoadSamples(**{field.name: arrays[field.name] for field in dataclasses.fields(LoadSamples)})


def schedule_order(parts: Sequence[LoadSamples]) -> NDArray[np.int64]:
    """Return the places of the requests of all parts, one part after the other, in order of the schedule."""
    return np.argsort(np.concatenate([part.scheduled_ns for part in parts]), kind="stable")


def merge_samples(parts: Sequence[LoadSamples]) -> LoadSamples:
    """Merge the parts of one test, in order of the schedule."""
    whole = [np.concatenate([getattr(part, field.name) for part in parts]) for field in dataclasses.fields(LoadSamples)]
    order = schedule_order(parts)
    return LoadSamples(*(array[order] for array in whole))
