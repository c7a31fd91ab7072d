"""A load test from two hosts at one start time, whose samples are merged."""

import sys
import time
from collections import Counter
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from benchmarking.load_tests import actions as load_tests
from benchmarking.load_tests.models import LoadTest
from governance.jobs.enums import UNFINISHED
from tests.promises.hosts.installation import WORKERS, Installation
from tests.promises.hosts.services import LOAD_PORT
from weighbridge.load.target import permission_from, resolve_addresses

PYTHON = [sys.executable, "-m"]
RATE_PER_S, DURATION_S, GIVES_UP_S = 200, 3.0, 120.0


def fire(site: Installation) -> dict[str, Any]:
    """Fire, wait, and answer what was merged and how many requests came from each host."""
    plan = {
        "url": f"http://{site.host('outside').address}:{LOAD_PORT}/predict",
        "rate_per_s": RATE_PER_S,
        "duration_s": DURATION_S,
        "arrivals": "constant",
        "connections": 4,
    }
    test = load_tests.start(
        key="load-of-two-hosts",
        plan=plan,
        workers=len(WORKERS),
        permissions=[permission_from(text) for text in settings.WEIGHBRIDGE["LOAD_TARGETS"]],
        resolve=resolve_addresses,
        by=User.objects.get(username="approver"),
        now=timezone.now(),
    )
    ends_s = time.monotonic() + GIVES_UP_S
    while test.state in UNFINISHED and time.monotonic() < ends_s:
        time.sleep(0.5)
        test = LoadTest.objects.get(pk=test.pk)
    lines = (site.folder / "load.access").read_text().splitlines()
    names = {host.address: name for name, host in site.network.hosts.items()}
    return {
        "state": test.state,
        "error": test.error,
        "merged": test.result["metrics"]["error_rate"]["n"] if test.result else 0,
        "from": dict(Counter(names[line.split()[0]] for line in lines)),
    }
