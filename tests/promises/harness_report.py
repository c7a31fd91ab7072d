"""docs/reference/promises.md, made from docs/reference/promises.json, which the long form of the promises writes.

python -m tests.promises.harness_report
"""

import json
import os
import platform
import time
from pathlib import Path
from typing import Any

from tests.promises.harness_places import ROOT
from tests.promises.harness_sections import SECTIONS

FIGURES = ROOT / "docs" / "reference" / "promises.json"
PAGE = ROOT / "docs" / "reference" / "promises.md"
HEAD = """# Promises

Generated from `docs/reference/promises.json` by `python -m tests.promises.harness_report`; do not edit. The figures are
written by the long form of the promises (`make promises`); the end of the page names the command that repeats each.

## Jobs and effects under kill -9

Workers, web process and tick of a whole installation are killed with SIGKILL, a group at a time: at named points of
their work, and at random. Meanwhile people submit requests; each wants one ticket and one benchmark.
*Lost* counts what was accepted and is not done in the end; *doubled* counts tickets and results that exist twice;
*at once* counts runs on which two workers worked at the same time. In the storm a benchmark is a stand-in that takes a
third of a second, leases last 3 s (runs) and 4 s (effects), and a run may be killed twelve times instead of three.
"""
KILLED = """What is killed is the application itself: the web process, the tick, and Celery workers. Most
are forked from a process that has imported everything, because a worker that starts anew takes seconds of processor
time. One worker for effects in each installation (*fresh*) is an interpreter of its own, started by the command an
operator uses; it dies at named points only.

"""
WORDS = {
    "outage": "The broker is taken away under load and given back. *Told after* and *untold after*: "
    "until a page says that work\nis delayed, from the loss on, and until it no longer does, from the return on.",
    "sleeper": "A worker is stopped (SIGSTOP) in mid-run past its lease, another does the run, the first wakes.",
    "poison": "A run that kills its worker each time, and ten that do not.",
    "stop": "SIGTERM to a worker that measures a real model.",
    "shipped": "`manage.py up` with the shipped settings. Its workers and all their processes are killed three times "
    "within seconds,\nand then stopped (SIGSTOP). The seconds that a person waits for an effect: one requested after "
    "the kills, one\nthat a worker held when it died, one requested while all stood still; *told after*: until "
    "`/workz` says so.",
}
NAMES = ("trial", "what", "broker", "database")


def tell(trial: str, file: str, **figures: Any) -> None:
    """In the long form: keep the figures of a trial of this test file; `what` tells its rows apart."""
    if os.environ.get("WEIGHBRIDGE_PROMISES") == "long":
        command = f"WEIGHBRIDGE_PROMISES=long python -m pytest tests/promises/{Path(file).name} -p no:randomly"
        keep([{"trial": trial, **figures}], command=command)


def keep(figures: list[dict[str, Any]], *, command: str) -> None:
    """Put these figures in the place of those of the same trial, at the same place, and write the page."""
    kept = _read()
    stamp = {"at": time.strftime("%Y-%m-%d", time.gmtime()), "machine": machine(), "command": command}
    for figure in figures:
        kept[" / ".join(str(figure[name]) for name in NAMES if name in figure)] = {**figure, **stamp}
    FIGURES.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")


def machine() -> str:
    """What the figures were measured on."""
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


def page() -> str:
    """The page as the figures say it."""
    figures = list(_read().values())
    storms = [figure for figure in figures if figure["trial"] == "storm"]
    columns = ("broker", "database", "kills", "requests", "lost", "doubled", "at_once", "server_errors")
    parts = [HEAD, _table(columns, storms)]
    if any("killed" in storm for storm in storms):
        parts.append(KILLED + _counted(storms, "killed"))
    parts.append(_counted(storms, "kills_at_named_points"))
    for trial, words in WORDS.items():
        rows = [figure for figure in figures if figure["trial"] == trial]
        if not rows:
            continue
        names = [name for name in rows[0] if name not in {"trial", "at", "machine", "command", "error"}]
        parts.append(f"### {trial.title()}\n\n{words}\n\n{_table(sorted(names), rows)}")
    for section in SECTIONS:
        rows = [figure for figure in figures if figure["trial"] == section.trial]
        if rows:
            parts.append(f"## {section.title}\n\n{section.words}\n\n{_table(section.columns, rows)}")
    commands = sorted({(figure["command"], figure["at"], figure["machine"]) for figure in figures})
    parts.append(
        "## Repeat it\n\n" + "\n".join(f"- `{command}` ({at}; {where})" for command, at, where in commands) + "\n"
    )
    return "\n".join(parts)


def _read() -> dict[str, dict[str, Any]]:
    return json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}


def _table(columns: Any, rows: list[dict[str, Any]]) -> str:
    head = [[column.replace("_", " ") for column in columns], ["---"] * len(columns)]
    lines = head + [[str(row.get(column, "")) for column in columns] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _counted(storms: list[dict[str, Any]], what: str) -> str:
    names = sorted({name for storm in storms for name in storm.get(what, {})})
    rows = [{"died": name, "times": sum(storm.get(what, {}).get(name, 0) for storm in storms)} for name in names]
    return _table(("died", "times"), rows)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
