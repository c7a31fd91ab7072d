"""Back-tests of many requests, which a worker computes once a day: how far one is, and its result."""

import pickle
import zlib
from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache

from governance.jobs.enums import UNFINISHED, JobState
from governance.jobs.models import OutboxMessage
from reviews.evidence.queries.backtests.backtest import Backtest, BacktestQuestion, run
from reviews.requests.models import ReviewRequest

KIND = "policy.backtest"
DIRECT_MAX = 10_000
"""A page computes a back-test of so many requests itself, in two to three seconds."""
STORED_S = 2 * 86_400
"""Longer than the day that the key names."""


@dataclass(frozen=True)
class LongBacktest:
    """A back-test that a worker computes, by its message; None if nobody has asked for it today."""

    message: OutboxMessage | None

    @property
    def is_under_way(self) -> bool:
        """Whether it waits for a worker, or is computed."""
        return self.message is not None and self.message.state in UNFINISHED

    @property
    def is_done(self) -> bool:
        """Whether a worker has computed it."""
        return self.message is not None and self.message.state == JobState.DONE

    @property
    def is_waiting(self) -> bool:
        """Whether no worker computes it at this moment."""
        return self.message is not None and self.message.state in {JobState.QUEUED, JobState.PAUSED}

    @property
    def read(self) -> int:
        """The number of requests that have been read."""
        return int(self.message.payload.get("read", 0)) if self.message is not None else 0

    @property
    def total(self) -> int:
        """The number of requests, or 0 before it is known."""
        return int(self.message.payload.get("total", 0)) if self.message is not None else 0

    @property
    def phase(self) -> str:
        """How many requests have been read, as text."""
        return f"{self.read:,} of {self.total:,}"

    @property
    def share(self) -> float | None:
        """The share of the requests that have been read, from 0 to 1."""
        return min(self.read / self.total, 1.0) if self.total else None

    @property
    def sentence(self) -> str:
        """Why there is no result yet, and what to do."""
        many = f"A worker computes a back-test of more than {DIRECT_MAX:,} requests"
        if self.is_under_way:
            return f"{many}, and has evaluated {self.phase}. Ask again later."
        if self.message is not None:
            return f"{many}, and this one failed. An operator can retry it."
        return f"{many}. Nobody has started this one today; POST to this address starts it."


def key_of(asked: BacktestQuestion, *, now: datetime) -> str:
    """The key of a back-test of that day, in UTC."""
    versions = f"{asked.version.pk}:{asked.against.pk}"
    return f"{KIND}:{versions}:{len(asked.quarters)}:{now:%Y-%m-%d}"


def requests_of(asked: BacktestQuestion) -> int:
    """The number of requests that were submitted in the quarters."""
    return ReviewRequest.objects.filter(submitted_at__date__gte=asked.since).count()


def is_long(asked: BacktestQuestion) -> bool:
    """Whether so many requests were submitted in the quarters that a worker computes the back-test."""
    since = ReviewRequest.objects.filter(submitted_at__date__gte=asked.since)
    return since.order_by()[: DIRECT_MAX + 1].count() > DIRECT_MAX


def find(asked: BacktestQuestion, *, now: datetime) -> LongBacktest:
    """The back-test of today, as far as it is."""
    return LongBacktest(OutboxMessage.objects.filter(key=key_of(asked, now=now)).first())


def keep(result: Backtest, *, key: str) -> None:
    """Store a result under the key of its back-test."""
    cache.set(key, zlib.compress(pickle.dumps(result), 1), STORED_S)


def result_of(asked: BacktestQuestion, *, now: datetime) -> Backtest | None:
    """The result, unless a worker is to compute it and has not done so."""
    if is_long(asked):
        result = _kept(asked, now=now)
        # A result that the cache lost is computed again.
        if result is not None or not find(asked, now=now).is_done:
            return result
    return run(asked)


def _kept(asked: BacktestQuestion, *, now: datetime) -> Backtest | None:
    stored = cache.get(key_of(asked, now=now))
    return pickle.loads(zlib.decompress(stored)) if stored is not None else None  # noqa: S301 -- only `keep` writes it
