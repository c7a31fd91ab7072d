"""An idle tick beside 100 and beside 20,000 rows of each kind: processor time of this process and of the database."""

import os
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils.module_loading import autodiscover_modules

from benchmarking.runs.models import Run
from governance.jobs import actions as jobs
from governance.jobs import ticks
from governance.jobs.models import OutboxMessage
from reviews.packets import actions as packets
from reviews.packets.models import Packet
from reviews.requests.models import ReviewRequest
from tests.factories.many import FIRST, history
from tests.factories.people import Cast
from tests.integration.conftest import author, cast, checklist, decided, installation, now, policy, signing_key_pem
from tests.performance.recorder import Recorder

__all__ = ["author", "cast", "checklist", "decided", "installation", "now", "policy", "signing_key_pem"]
FEW, MANY, TICKS, EVERY = 100, 20_000, 120, timedelta(seconds=2)
YEAR = timedelta(days=365)
SHARE_MAX, RATIO_MAX = 1.0, 1.5
"""Percent of a core, and how much more an idle tick may cost beside many rows."""


@pytest.fixture
def packet(decided: ReviewRequest, cast: Cast, now: datetime) -> Packet:
    """A packet of a decided request, after which nothing is due."""
    autodiscover_modules("tasks")
    frozen = packets.freeze(request=decided, by=cast.author, now=now)
    beat(now, 3)
    for model in (OutboxMessage, Packet, Run):
        model.objects.update(next_attempt_at=now + YEAR)
    return frozen


def beat(now: datetime, count: int) -> datetime:
    """Ticks of every two seconds; the time after them."""
    for _ in range(count):
        jobs.observe_clock(now=now, database=now)
        ticks.tick(now=now)
        now += EVERY
    return now


def processor_s() -> float:
    """The processor time of this process, and of the process of the database that serves it."""
    assert connection.connection is not None
    stat = Path(f"/proc/{connection.connection.info.backend_pid}/stat").read_text(encoding="ascii")
    user, system = stat.rpartition(")")[2].split()[11:13]
    return time.process_time() + (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def share_of_a_core(now: datetime) -> tuple[float, datetime]:
    """The percentage of a core that ticks of every two seconds use, each tenth and each minute included."""
    begun_s = processor_s()
    later = beat(now, TICKS)
    return 100 * (processor_s() - begun_s) / (TICKS * EVERY.total_seconds()), later


def test_an_idle_tick(packet: Packet, decided: ReviewRequest, now: datetime, keep: Recorder) -> None:
    begun = now.replace(minute=1, second=0)
    history(decided, packet, FEW, now=begun + YEAR)
    few, later = share_of_a_core(beat(begun, 10))
    history(decided, packet, MANY, first=FIRST * 2, now=begun + YEAR)
    many, _ = share_of_a_core(beat(later, 10))
    title = f"An idle tick every two seconds beside {MANY:,} rows of each kind"
    beside = f"{FEW} rows of each kind: {few:.2g} %"
    share = keep("tick.idle", many, "% of a core", at_most=SHARE_MAX, title=title, beside=beside)
    ratio = keep("tick.ratio", many / few, "times", at_most=RATIO_MAX, title=f"{title}, against {FEW}")
    assert (share.is_held, ratio.is_held) == (True, True)
