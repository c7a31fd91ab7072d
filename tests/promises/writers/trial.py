"""The trial: an idle look, then everybody at once beside a bill, then what came of it."""

import argparse
import gzip
import io
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.core.management import call_command
from django.utils import timezone

from governance.budgets.domain.quarters import Quarter
from governance.operations.management.stack import Stack
from governance.people.domain.roles import Role
from tests.factories import bills as bill_rows
from tests.promises import harness_places
from tests.promises.writers import verdict, watching
from tests.promises.writers.journals import Journal
from tests.promises.writers.people import Person, multipart
from tests.promises.writers.scene import make_scene

WARM_UP_READS, IDLE_READS, SETTLES_S = 40, 100, 900.0
TRACEBACK = "Traceback (most recent"
RESOURCES, DAYS, BLOCK_ROWS = 200, 28, 10_000


def run(*, place: harness_places.Place, given: argparse.Namespace) -> dict[str, Any]:
    """The figures: `failures`, `differences` and `deadlocks` must be empty."""
    now = timezone.now()
    members = make_scene(count=given.people, jira=place.jira_url, now=now)
    call_command("collectstatic", interactive=False, verbosity=0)
    port, first, idle, journal = harness_places.free_port(), Journal(), Journal(), Journal()
    crowd = [
        Person(member, port=port, journal=journal, file_bytes=given.file_mb * 1_000_000, seed=seed)
        for seed, member in enumerate(members)
    ]
    teams = sorted({member.team for member in members} - {""})
    for person in crowd:
        person.teams, person.quarter = teams, str(Quarter.of(now.date()))
        person.pause_s = tuple(given.pauses)
    with Stack(logs=place.folder / "logs") as stack:
        stack.start_all(port=port)
        stack.wait_for(f"http://127.0.0.1:{port}/livez")
        for number in range(WARM_UP_READS + IDLE_READS):
            person = crowd[number % len(crowd)]
            person.journal = idle if number >= WARM_UP_READS else first
            person.look()
        before = watching.deadlocks()
        watch = watching.Watch({name: child.pid for name, child in stack.children.items()})
        watch.start()
        _live(crowd, journal, given)
        settled_s = _settled_s(stack)
        watch.over.set()
        watch.join()
        ended = stack.ended() + ([] if watch.is_whole else ["the watch"])
        deadlocks = watching.deadlocks() - before
    logs = {path.name: path.read_text(errors="replace") for path in (place.folder / "logs").glob("*.log")}
    for text in logs.values():
        if TRACEBACK in text:
            print(text[text.find(TRACEBACK) :][:6000], file=sys.stderr)
    said = io.StringIO()
    call_command("audit", "verify", stdout=said, stderr=said)  # exits with 1 where it is broken
    failures = [*first.failures, *idle.failures, *journal.failures]
    return {
        "people": given.people,
        "seconds": given.seconds,
        "pauses_s": given.pauses,
        "rows": given.rows,
        "file_mb": given.file_mb,
        "answers": {f"{what} {status}": n for (what, status), n in sorted(journal.answers.items())},
        "refusals": journal.refusals,
        "failures": failures[:20] + [person.error for person in crowd if person.error],
        "failed": len(failures),
        "refused_share": journal.refused_share(),
        "done": dict(Counter({what: len(things) for what, things in journal.done.items()})),
        "differences": verdict.differences(journal, rows=given.rows),
        "deadlocks": deadlocks + sum(text.count("deadlock detected") for text in logs.values()),
        "ended": ended,
        "tracebacks": {name: text.count(TRACEBACK) for name, text in logs.items() if TRACEBACK in text},
        "settled_s": settled_s,
        "connections_max": max(watch.connections),
        "connections_end": watch.connections[-1],
        "queue_age_max_s": max(watch.queue_age_s.values(), default=0.0),
        "queue_ages_max_s": watch.queue_age_s,
        "memory_mb": {name: round(max(sizes)) for name, sizes in watch.memory_mb.items()},
        "memory_growth": watch.growth(),
        "p95_idle_ms": _p95(idle.reads_ms),
        "p95_ms": _p95(journal.reads_ms),
        "reads_per_s": round(len(journal.reads_ms) / given.seconds, 1),
        "calls_per_s": round(journal.answers.total() / given.seconds, 1),
        "audit": said.getvalue().strip(),
    }


def _live(crowd: list[Person], journal: Journal, given: argparse.Namespace) -> None:
    """Everybody acts for so many seconds; the first of finance sends the bill meanwhile."""
    bill = _bill(given.rows)
    for person in crowd:
        person.journal = journal
        person.start()
    ends_s = time.monotonic() + given.seconds
    sender = next(person for person in crowd if person.member.role is Role.FINANCE)
    body = multipart({"kind": "focus"}, name="bill.csv.gz", content=[bill])
    sender.ask("bill", "POST", "/api/v1/bills/", body=body, kind="multipart")
    time.sleep(max(0.0, ends_s - time.monotonic()))
    for person in crowd:
        person.over.set()
    for person in crowd:
        person.join(300)
        if person.is_alive():
            person.error = f"{person.member.name} still waits"


def _bill(rows: int) -> bytes:
    """So many rows, a multiple of `BLOCK_ROWS`, as CSV in gzip, each of some resource and day."""
    stream = io.BytesIO()
    head, _, block = bill_rows.csv_bytes(map(_row, range(min(rows, BLOCK_ROWS)))).partition(b"\n")
    with gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=1, mtime=0) as file:
        file.write(head + b"\n")
        for _ in range(max(1, rows // BLOCK_ROWS)):
            file.write(block)
    return stream.getvalue()


def _row(number: int) -> dict[str, str]:
    day = f"2026-09-{number % DAYS + 1:02}"
    times = {"ChargePeriodStart": f"{day}T00:00:00Z", "ChargePeriodEnd": f"{day}T01:00:00Z"}
    return bill_rows.row(ResourceId=f"endpoint/{number % RESOURCES}", **times)


def _settled_s(stack: Stack) -> float:
    """Seconds until all that was accepted is done; what is not by then shows in the differences."""
    began_s = time.monotonic()
    _wait(lambda: verdict.open_work() == 0 or bool(stack.ended()))
    return round(time.monotonic() - began_s, 1)


def _wait(what: Callable[[], bool]) -> None:
    ends_s = time.monotonic() + SETTLES_S
    while not what() and time.monotonic() < ends_s:
        time.sleep(0.5)


def _p95(times_ms: list[float]) -> float:
    return round(sorted(times_ms)[int(len(times_ms) * 0.95)], 1) if times_ms else 0.0
