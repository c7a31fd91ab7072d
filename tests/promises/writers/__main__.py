"""The trial of writers: `python -m tests.promises.writers --people 20 --seconds 30 --rows 20000 --file-mb 1`.

It runs what `manage.py up` runs, on a database and a folder of its own, and says in one line of JSON what it saw.
"""

import argparse
import json
import os
import signal
import sys
from types import FrameType
from typing import Any

import django

from tests.promises import harness_places

ENVIRONMENT = {
    "DJANGO_SETTINGS_MODULE": "config.settings.dev",
    "ORT_DISABLE_TELEMETRY": "1",
    "WEIGHBRIDGE_API_WRITES": "1000000",  # the limit for one person is the subject of another test
    "WEIGHBRIDGE_API_READS": "1000000",
    "WEIGHBRIDGE_UPLOAD_MB": "2000",
}


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(f"ended by signal {number}")


def main(arguments: list[str]) -> dict[str, Any]:
    """Run the trial and answer its figures."""
    parser = argparse.ArgumentParser(prog="writers", description="Writers beside each other.")
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rows", type=int, default=20_000, help="rows of the bill")
    parser.add_argument("--file-mb", type=int, default=1, help="size of the first file that each requester uploads")
    parser.add_argument(
        "--pauses", type=float, nargs=2, default=(0.2, 1.0), metavar=("LEAST_S", "MOST_S"), help="between two acts"
    )
    parser.add_argument("--database", choices=sorted(harness_places.DATABASES), default="embedded")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _end)
    with harness_places.place(broker="filesystem", database=given.database) as place:
        os.environ.update(ENVIRONMENT | place.environment)
        django.setup()
        from tests.promises.writers import trial

        return trial.run(place=place, given=given)


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:])))
