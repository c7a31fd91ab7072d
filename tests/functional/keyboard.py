"""A person who has a keyboard alone: keys are pressed, and each press must leave the focus where it can be seen."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect

from tests.functional.conftest import Visitor

PROBE = Path(__file__).with_name("focus_probe.js").read_text()
PRESSES_MAX = 60
DESK = {"width": 1440, "height": 900}


@dataclass
class Keyboard:
    """Real keys in a person's browser, with the count of presses and the places that had the focus."""

    visitor: Visitor
    presses: int = 0
    way: list[str] = field(default_factory=list)

    @property
    def page(self) -> Page:
        return self.visitor.page

    def press(self, key: str) -> None:
        """Press one key, or several with `+`."""
        self.page.keyboard.press(key)
        self.presses += 1

    def type(self, words: str) -> None:
        """Type text where the focus is. Text counts as no press."""
        self.page.keyboard.type(words)

    def look(self) -> dict[str, Any]:
        """The place that has the focus, without a fault: not lost, in view, not covered, with a ring.

        Raises AssertionError with the way so far.
        """
        found: dict[str, Any] = self.page.evaluate("focusPlace()")
        self.way.append(found["name"])
        assert found["faults"] == [], f"{found['name']}: {found['faults']}, after {self.way}"
        return found

    def reach(self, place: Locator, *, back: bool = False, at_most: int = PRESSES_MAX) -> int:
        """Press Tab (Shift+Tab if `back`) until the place has the focus; the number of presses.

        Raises AssertionError with the way if it takes more than `at_most` presses.
        """
        place.wait_for(state="attached")
        for count in range(at_most + 1):
            if place.evaluate("each => each === document.activeElement"):
                self.look()
                return count
            self.press("Shift+Tab" if back else "Tab")
            self.look()
        raise AssertionError(f"{at_most} presses do not reach {place}: {self.way}")

    def activate(self, place: Locator, *, back: bool = False, at_most: int = PRESSES_MAX) -> int:
        """Reach a link or a button that opens a page, press Enter, and wait for the page; the presses before Enter."""
        count = self.reach(place, back=back, at_most=at_most)
        with self.page.expect_navigation():
            self.press("Enter")
        self.page.wait_for_load_state()
        return count

    def write(self, place: Locator, words: str) -> None:
        """Reach a field and type into it."""
        self.reach(place)
        self.press("Control+a")
        self.type(words)

    def skip_to(self, name: str) -> None:
        """Follow a skip link at the start of the page; where it leads has the focus."""
        self.reach(self.page.locator("a.skip", has_text=name), at_most=3)
        self.press("Enter")
        self.look()

    def enter(self) -> None:
        """Be at the content: by the skip link, unless the address of a form that was sent there leads to it."""
        if urlsplit(self.page.url).fragment == "content":
            self.look()
        else:
            self.skip_to("To the content")


def keyboard(visitor: Visitor, start: str = "/") -> Keyboard:
    """A person at a desk who has opened a page."""
    visitor.page.set_viewport_size(DESK)
    visitor.page.add_init_script(PROBE)
    visitor.go(start)
    return Keyboard(visitor)


def walk(keys: Keyboard, presses_max: int = 600) -> Iterator[str]:
    """The faults of a page whose every place is reached by Tab, until the focus is back at the start."""
    page = keys.page
    for chart in page.locator("figure[data-chart]").all():  # a chart gets its buttons when it comes near the screen
        chart.scroll_into_view_if_needed()
        page.locator("figure[data-chart]:not([data-lively])").and_(chart).wait_for(state="detached")
        for buttons in chart.locator(".chart-zoom").all():
            expect(buttons.get_by_role("button").first).to_be_enabled()
    page.evaluate("startWalk()")
    for _ in range(presses_max):
        keys.press("Tab")
        found = page.evaluate("stepWalk()")
        if found is None:
            break
        yield from (f"{found['name']}: {fault}" for fault in found["faults"])
    else:
        yield f"{presses_max} presses of Tab do not lead back to the start"
    yield from page.evaluate("endWalk()")
