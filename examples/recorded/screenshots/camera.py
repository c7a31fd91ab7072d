"""Pictures of pages: a browser for each person, and small files that are the same each time."""

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from examples.recorded.screenshots.chromium import CHROMIUM, SILENT
from examples.recorded.screenshots.pages.page import PicturedPage

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, StorageState, ViewportSize

WIDE: "ViewportSize" = {"width": 1440, "height": 900}
NARROW: "ViewportSize" = {"width": 390, "height": 844}
PATIENCE_MS = 15_000
COLORS = 96
READY = """async () => {
  await document.fonts.ready;
  const shown = [...document.images].filter((each) => each.loading !== "lazy");
  await Promise.all(shown.map((each) => each.decode().catch(() => {})));
}"""


@dataclass(frozen=True)
class Stop:
    """A page at its address, and the file of its picture."""

    page: PicturedPage
    address: str
    file: Path


@contextmanager
def started() -> Iterator["Browser"]:
    """A running Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SILENT))
        yield browser
        browser.close()


def take(browser: "Browser", url: str, stops: Iterable[Stop]) -> None:
    """Make the pictures. Raises SystemExit with the page that does not open.

    A person logs in once, because the application refuses many log-ins in a minute, and again for a page on which
    buttons are pressed: what they change must not show in other pictures.
    """
    sessions: dict[str, StorageState] = {}
    for stop in stops:
        person = stop.page.person
        own = {} if stop.page.presses else sessions
        context = browser.new_context(
            viewport=NARROW if stop.page.is_narrow else WIDE,
            color_scheme="dark" if stop.page.is_dark else "light",
            reduced_motion="reduce",
            locale="en-US",
            timezone_id="UTC",
            storage_state=own.get(person),
        )
        shown = context.new_page()
        shown.set_default_timeout(PATIENCE_MS)
        if person and person not in own:
            _log_in(shown, url, person)
            own[person] = context.storage_state()
        _open(shown, url, stop)
        _write(stop.file, _small(shown.screenshot(animations="disabled", caret="hide")))
        context.close()


def _log_in(shown: "Page", url: str, person: str) -> None:
    shown.goto(f"{url}/accounts/login/")
    shown.locator(f"form:has(input[name=login][value={person}]) button").click()
    shown.wait_for_url(f"{url}/")


def _open(shown: "Page", url: str, stop: Stop) -> None:
    answer = shown.goto(f"{url}{stop.address}", wait_until="load")
    if answer is None or answer.status != 200:
        status = answer.status if answer else "nothing"
        raise SystemExit(f"{stop.address} answers {status} to {stop.page.person or 'a stranger'}; expected 200.")
    for name in stop.page.presses:
        shown.get_by_role("button", name=name, exact=True).click()
        shown.wait_for_load_state("load")
    shown.locator("[hx-trigger=load]").first.wait_for(state="detached")
    shown.evaluate(READY)
    shown.wait_for_load_state("networkidle")


def _write(file: Path, picture: bytes) -> None:
    """Readable by everybody: the application itself makes files that only its user can read."""
    file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    file.write_bytes(picture)
    for path in (file, file.parent, file.parent.parent):
        path.chmod(0o644 if path == file else 0o755)


def _small(picture: bytes) -> bytes:
    """The picture as a PNG with a palette."""
    small = Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    written = io.BytesIO()
    small.save(written, "PNG", optimize=True)
    return written.getvalue()
