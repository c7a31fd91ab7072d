"""How long the writes of a request hold the head of the audit trail, for which every other write waits, and how many
requests an hour one installation can therefore take: a simulated queue, fed with the times that were measured.
"""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import numpy as np
import pytest
from django.db import connection, transaction

from governance.audit.locking import CHAIN_LOCK
from reviews.voting.domain.electorate import VoteChoice
from reviews.workflow.actions import requests, review
from reviews.workflow.actions.review import NewVote
from tests.factories.models import make_version
from tests.factories.people import Cast
from tests.factories.requests import allocate_budget, answer_everything, approve_technically, make_draft, take_results
from tests.integration.conftest import cast, checklist, installation, now, policy, signing_key_pem, team
from tests.performance.recorder import Recorder

__all__ = ["cast", "checklist", "installation", "now", "policy", "signing_key_pem", "team"]
REQUESTS, FIRST, WRITES, WAIT_S = 12, 2, 200_000, 1.0
"""The first requests warm up. So many writes are simulated, and p95 of the wait may be so long."""

Held = dict[str, list[float]]
"""Seconds for which each write held the head, by the step of a request."""


@contextmanager
def watched(step: str, held: Held) -> Iterator[None]:
    """Note how long each transaction holds the head, from the moment at which it has it until it is committed."""
    since_s: list[float] = []

    def released() -> None:
        held[step].append(time.perf_counter() - since_s.pop())

    def watch(execute, sql, params, many, context):
        answer = execute(sql, params, many, context)
        if "pg_advisory_xact_lock" in sql and params == [CHAIN_LOCK] and not since_s:
            since_s.append(time.perf_counter())
            transaction.on_commit(released)
        return answer

    with connection.execute_wrapper(watch):
        yield


def review_one(number: int, cast: Cast, now: datetime, held: Held) -> None:
    """One request, from the registration of its model to its approval."""
    author = cast.author
    with watched("the registration of a model", held):
        version = make_version(by=author, now=now, slug=f"model-{number}", seed=number)
    with watched("a write while it is filed", held):
        request = make_draft(by=author, now=now, version=version, purpose=f"purpose {number}")
        request = requests.submit(request=request, by=author, now=now)
    with watched("a write of evidence", held):
        take_results(request=request, now=now)
        answer_everything(request=request, by=author, now=now)
    with watched("asking for review", held):
        review.request_review(request=request, by=author, now=now)
    with watched("a vote", held):
        approve_technically(request=request, cast=cast, now=now)
    with watched("the vote that decides", held):
        vote = NewVote(stage_id="gpu-budget", choice=VoteChoice.APPROVE, rationale="Fast and cheap.")
        review.cast(request=request, vote=vote, by=cast.approver, now=now)


def wait_p95_s(times_s: np.ndarray, rate: float) -> float:
    """The p95 of the wait in a queue with one place: Poisson arrivals of `rate` a second, served in their order.

    Lindley's recursion, as the random walk of its steps above the minimum so far.
    """
    random = np.random.default_rng(7)
    walk = np.cumsum(random.choice(times_s, WRITES) - random.exponential(1 / rate, WRITES))
    return float(np.quantile(walk - np.minimum(np.minimum.accumulate(walk), 0), 0.95))


def rate_with(wait_s: float, times_s: np.ndarray) -> float:
    """The writes a second at which p95 of the wait is `wait_s`, by halving."""
    low, high = 0.0, 1 / float(times_s.mean())
    for _ in range(20):
        middle = (low + high) / 2
        low, high = (middle, high) if wait_p95_s(times_s, middle) < wait_s else (low, middle)
    return low


def test_the_queue_is_that_of_a_textbook() -> None:
    """With exponential times of 1 s and the place taken half of the time, p95 of the wait is 2 s times ln 10."""
    times_s = np.random.default_rng(3).exponential(1.0, WRITES)
    assert wait_p95_s(times_s, 0.5) == pytest.approx(2 * np.log(10), rel=0.05)


@pytest.mark.django_db(transaction=True)
def test_the_head_of_the_trail(keep: Recorder, cast: Cast, policy, team, now: datetime) -> None:
    allocate_budget(team=team, by=cast.finance, now=now, usd="9000000", gpu_h="900000")
    held: Held = defaultdict(list)
    for number in range(FIRST + REQUESTS):
        if number == FIRST:
            held.clear()
        review_one(number, cast, now, held)
    for step, times_s in held.items():
        least_ms, most_ms = 1000 * min(times_s), 1000 * max(times_s)
        keep(
            f"head.{step.replace(' ', '_')}",
            1000 * float(np.median(times_s)),
            "ms",
            title=f"How long {step} holds the head of the trail, median",
            beside=f"{len(times_s) // REQUESTS} for each request, {least_ms:.0f} to {most_ms:.0f} ms",
        )
    every = np.array([one for times_s in held.values() for one in times_s])
    of_one_s, writes = float(every.sum()) / REQUESTS, len(every) / REQUESTS
    rate, most = rate_with(WAIT_S, every), 3600 / of_one_s
    keep(
        "head.requests",
        3600 * rate / writes,
        "requests an hour",
        title="Requests from filing to approval at which p95 of the wait for the head is 1 s, simulated",
        beside=f"one takes {1000 * of_one_s:.0f} ms in {writes:.0f} writes; never more than {most:,.0f} an hour",
    )
