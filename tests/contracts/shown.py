"""What the pages show at a prompt: every command line of every page, as it stands there."""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "docs").glob("*/*.md")])
# Generated from the programs themselves, and only help texts.
GENERATED = {"docs/reference/commands.md"}
FENCE = re.compile(r"^ *```(?:console|bash|sh|text)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
PROGRAMS = "weighbridge|python|make|curl|openssl|pip|celery|git|sacct"
ASSIGNED = r"(?:[A-Za-z_]+=\S*\s+)*"
RUNS = re.compile(rf"^{ASSIGNED}(?:{PROGRAMS})\s")
SETS = re.compile(r"^(?:export )?[A-Za-z_]+=\S|^echo ")


@dataclasses.dataclass(frozen=True)
class Shown:
    """One line at the prompt of a page: a command, or what sets one up (`runs` tells which)."""

    page: str
    line: str
    runs: bool

    @property
    def program(self) -> str:
        """The command without the variables before it."""
        return re.sub(rf"^{ASSIGNED}", "", self.line)


def lines_of(page: Path) -> Iterator[Shown]:
    """The lines of a page's commands, in order; blocks that show none are no shell."""
    name = str(page.relative_to(ROOT))
    for block in FENCE.findall(page.read_text()) if name not in GENERATED else ():
        lines = block.replace("\\\n", " ").replace(".venv/bin/", "").splitlines()
        found = [re.sub(r"^\s*(?:\$ )?", "", line) for line in lines]
        if any(RUNS.match(line) for line in found):
            yield from (
                Shown(name, line, bool(RUNS.match(line))) for line in found if RUNS.match(line) or SETS.match(line)
            )


def every_line() -> list[Shown]:
    """What all pages show."""
    return [shown for page in PAGES for shown in lines_of(page)]
