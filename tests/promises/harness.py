"""Trials of promise 1 on a whole installation of its own: workers, web process and tick, really killed.

    python -m tests.promises.harness storm --broker redis --database local --kills 300 --seed 1

It makes its folder, database and queues, says in one line of JSON what each trial saw, and leaves nothing behind. What
is tried is in `harness_trials`, how an installation runs and dies in `harness_site`, where in `harness_places`.
"""

import argparse
import json
import os
import signal
import sys
from types import FrameType
from typing import Any

from tests.promises import harness_places

TRIALS = ("storm", "outage", "sleeper", "poison", "stop")
ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "config.settings.dev",
    "ORT_DISABLE_TELEMETRY": "1",
    "WEIGHBRIDGE_LEASE_S": "3",
    "WEIGHBRIDGE_EFFECT_LEASE_S": "4",
    "WEIGHBRIDGE_API_WRITES": "100000",  # one person asks for everything
}


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(f"ended by signal {number}")


def main(arguments: list[str]) -> list[dict[str, Any]]:
    """Run the trials one after the other in one installation and answer the figures of each."""
    parser = argparse.ArgumentParser(prog="harness", description="Trials of promise 1.")
    parser.add_argument("trials", choices=TRIALS, nargs="+")
    parser.add_argument("--broker", choices=sorted(harness_places.BROKERS), default="filesystem")
    parser.add_argument("--database", choices=sorted(harness_places.DATABASES), default="embedded")
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long the broker is down")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _end)
    with harness_places.place(broker=given.broker, database=given.database) as place:
        os.environ.update(ENVIRONMENT | place.environment)
        from tests.promises import harness_trials

        return harness_trials.run(place=place, given=given)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
