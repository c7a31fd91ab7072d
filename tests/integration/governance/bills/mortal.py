"""A process that receives or reads a bill on the database of a test, and is killed at a named point.

    python -m tests.integration.governance.bills.mortal DATABASE FOLDER POINT FILE|BILL

Death is SIGKILL, as the kernel's memory killer or a power cut would have it: nobody cleans up.
"""

import os
import signal
import sys
from functools import wraps
from pathlib import Path
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.test"
django.setup()

import psycopg  # noqa: E402 -- Django is set up first
from django.conf import settings  # noqa: E402 -- Django is set up first
from django.core.files import File  # noqa: E402 -- Django is set up first
from django.utils import timezone  # noqa: E402 -- Django is set up first

from governance.bills import models  # noqa: E402 -- Django is set up first
from governance.bills import tasks as bills_tasks  # noqa: E402 -- Django is set up first
from governance.bills.actions import allocation, bills  # noqa: E402 -- Django is set up first
from governance.bills.models import SpendLine  # noqa: E402 -- Django is set up first
from governance.inventory.actions import artifacts  # noqa: E402 -- Django is set up first

RECEIVING: dict[str, tuple[Any, str, str]] = {
    "after the raw file is kept": (artifacts, "store", "after"),
    "after it is received": (bills, "receive", "after"),
}
READING: dict[str, tuple[Any, str, str]] = {
    "after the claim": (bills_tasks, "_read", "before"),
    "after the file is read": (bills, "ingest", "before"),
    "before COPY": (SpendLine, "copy_in", "before"),
    "during COPY": (psycopg.Copy, "write", "second"),
    "before lines are allocated": (allocation, "assign", "before"),
    "before the commit": (bills, "_record", "after"),
    "after the commit": (bills, "ingest", "after"),
}


def arm(owner: Any, name: str, when: str) -> None:
    """Put something in the place of the function that dies before it, after it, or when it is called again."""
    original = getattr(owner, name)
    calls = 0

    @wraps(original)
    def mortal(*arguments: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        if when == "before" or (when == "second" and calls == 2):
            os.kill(os.getpid(), signal.SIGKILL)
        answer = original(*arguments, **named)
        if when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    setattr(owner, name, mortal)


def main(database: str, folder: Path, point: str, what: str) -> None:
    """Do it, and die on the way."""
    settings.DATABASES["default"]["NAME"] = database
    artifacts_at = settings.STORAGES["artifacts"] | {"OPTIONS": {"location": folder / "artifacts"}}
    settings.STORAGES = settings.STORAGES | {"artifacts": artifacts_at}
    settings.FILE_UPLOAD_TEMP_DIR = folder / "uploads"
    models.BLOCK_LINES = 1  # so that a COPY takes several writes
    arm(*(RECEIVING | READING)[point])
    if point in READING:
        bills_tasks.ingest_bill(int(what))
        return
    path = Path(what)
    with path.open("rb") as file:
        bills.receive(upload=File(file, name=path.name), delivery=bills.Delivery(), by=None, now=timezone.now())


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
