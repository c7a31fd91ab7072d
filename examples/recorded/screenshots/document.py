"""The files of the pictures, and the page of the documentation that shows them."""

from pathlib import Path

from config.env import ROOT
from examples.recorded.screenshots.camera import Stop
from examples.recorded.screenshots.pages import GROUPS
from examples.recorded.screenshots.pages.page import PageGroup, PicturedPage

DOCS = ROOT / "docs"
FOLDER, PAGE = DOCS / "screenshots", DOCS / "reference" / "screenshots.md"
MOST_BYTES = 3_000_000
"""All pictures together."""
HEAD = """\
<!-- Made by `make screenshots`; change the code, not this page. -->

# Screenshots

Pages on the recorded data of the demo, each as the person sees it who uses the page. `make try` opens the same data,
and `make screenshots` makes the pictures again.
"""


def stops(names: set[str]) -> list[Stop]:
    """The named pages (GROUP/NAME), or all, at their addresses in the recording. Raises SystemExit for another name."""
    every = {f"{group.folder}/{page.name}": (page, _file(group, page)) for group in GROUPS for page in group.pages}
    if unknown := sorted(names - every.keys()):
        raise SystemExit(f"There is no picture {', '.join(unknown)}. The pictures are: {', '.join(every)}.")
    return [Stop(page, page.address(), file) for name, (page, file) in every.items() if not names or name in names]


def text() -> str:
    """The page: a heading for each kind of user, and each picture with its caption."""
    return "\n".join([HEAD, *(_group(group) for group in GROUPS)])


def strays() -> list[Path]:
    """Files in the folder that no page has."""
    known = {_file(group, page) for group in GROUPS for page in group.pages}
    return sorted(path for path in FOLDER.rglob("*") if path.is_file() and path not in known)


def _file(group: PageGroup, page: PicturedPage) -> Path:
    return FOLDER / group.folder / f"{page.name}.png"


def _group(group: PageGroup) -> str:
    pages = (f"### {page.title}\n\n{page.words}\n\n![{page.alt}]({_link(group, page)})\n" for page in group.pages)
    return "\n".join([f"## {group.title}\n\n{group.words}\n", *pages])


def _link(group: PageGroup, page: PicturedPage) -> str:
    return f"../{_file(group, page).relative_to(DOCS).as_posix()}"
