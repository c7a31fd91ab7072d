"""The trial of several machines: `python -m tests.promises.hosts`, as root. It says in one line of JSON what it saw."""

import json
import os
import signal
import sys
from types import FrameType
from typing import Any

from tests.promises.hosts.installation import installation


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(f"ended by signal {number}")


def main() -> dict[str, Any]:
    """Make the hosts, try everything, and answer the figures."""
    signal.signal(signal.SIGTERM, _end)
    with installation() as site:
        from tests.promises.hosts import trial

        return trial.run(site, only=sys.argv[1:])


if __name__ == "__main__":
    print(json.dumps(main()))
    os._exit(0)  # threads of people may still wait for an answer
