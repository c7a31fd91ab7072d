"""Where a process dies: named points, armed in the process that is to die, and nowhere in the product itself.

Death is SIGKILL to the whole group, as a power cut or the kernel's memory killer would have it: nobody cleans up.
"""

import http.client
import os
import select
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarking.runs import tasks as benchmarking_tasks
from benchmarking.runs.actions import runs
from config.celery import app
from governance.jobs import outbox
from reviews.ticket_sync import tasks as inbound_tasks
from reviews.tickets import actions as effects
from reviews.tickets.jira.client import JiraClient

DEATHS: dict[str, Callable[[], None]] = {}
POINTS: dict[str, dict[str, tuple[Any, str, str]]] = {
    "web": {
        "web: before the commit": (outbox, "wake", "before"),
        "web: before publish": (app, "send_task", "before"),
        "web: after publish": (app, "send_task", "after"),
    },
    "effects": {
        "ticket: before the POST": (JiraClient, "post_json", "before"),
        "ticket: after the remote commit": (http.client.HTTPConnection, "getresponse", "answered"),
        "ticket: after the POST": (JiraClient, "post_json", "after"),
        "ticket: before the local commit": (effects, "link_ticket", "after"),
        "ticket: after the local commit": (inbound_tasks, "_link", "after"),
    },
    "bench": {
        "run: after the claim": (benchmarking_tasks.Heartbeat, "progress", "before"),
        "run: at its end": (runs, "finish", "before"),
        "run: before the local commit": (runs, "_notify", "before"),
        "run: before publish": (app, "send_task", "before"),
    },
}

# The worker that is an interpreter of its own works on effects like the others.
POINTS["fresh"] = POINTS["effects"]


def die(note: Path, point: str) -> None:
    """Leave the name of the point, and go."""
    with note.open("a") as notes:
        notes.write(f"{point}\n")
    os.killpg(os.getpgrp(), signal.SIGKILL)


def arm(*, role: str, point: str, nth: int, note: Path) -> None:
    """In the process that is to die: die when the point is reached for the `nth` time."""
    owner, name, when = POINTS[role][point]
    original, left = getattr(owner, name), [nth]

    def reached() -> None:
        left[0] -= 1
        if left[0] == 0:
            die(note, point)

    def wrapped(*arguments: Any, **named: Any) -> Any:
        if when == "before":
            reached()
        if when == "answered" and arguments[0]._method == "POST":
            select.select([arguments[0].sock], [], [], 5)
            reached()
        answer = original(*arguments, **named)
        if when == "after":
            reached()
        return answer

    setattr(owner, name, wrapped)
