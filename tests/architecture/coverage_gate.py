"""The stricter coverage gate: every line and branch of the layers that hold rules and writes.

`python -m tests.architecture.coverage_gate .coverage.json` after a test run; exit 1 names what was not reached.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any

HELD = re.compile(
    r"^benchmarking/toolkit/src/"
    r"|^(governance|benchmarking|reviews)/\w+/(approvals/)?(domain|actions|rules)(/|\.py$)"
    r"|^governance/people/approvals/kinds\.py$|^reviews/snapshots/queries/allowed_steps\.py$"
)


def is_held(name: str) -> bool:
    """Whether a file must be covered wholly."""
    return bool(HELD.match(name.replace("\\", "/")))


def gaps(report: dict[str, Any]) -> list[str]:
    """One line for each held file with something unreached, in coverage's JSON report."""
    return [
        f"{name}: {unreached(found['missing_lines'], found.get('missing_branches', []))}"
        for name, found in sorted(report["files"].items())
        if is_held(name) and (found["missing_lines"] or found.get("missing_branches"))
    ]


def unreached(lines: list[int], branches: list[list[int]], *, shown: int = 12) -> str:
    """The first unreached lines, or where lines are all reached the branches, in the form `7, 9 -> exit, 3 more`."""
    arrows = [f"{start} -> {end if end > 0 else 'exit'}" for start, end in branches]
    found = [str(line) for line in lines] or arrows
    more = [f"{len(found) - shown} more"] if len(found) > shown else []
    return ", ".join(found[:shown] + more)


def main(path: str) -> int:
    """Print the gaps, or one line that says there are none."""
    file = Path(path)
    if not file.exists():
        print(f"{path} is missing: the test run ended before coverage was written.")
        return 1
    report = json.loads(file.read_text())
    held = [name for name in report["files"] if is_held(name)]
    if found := gaps(report):
        print("Not covered, though domain, toolkit, rules and actions are held at 100 % of lines and branches:")
        print("\n".join(f"  {line}" for line in found))
        return 1
    print(f"Coverage gate: 100 % of lines and branches in {len(held)} files of domain, toolkit, rules and actions.")
    return 0 if held else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
