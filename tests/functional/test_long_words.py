"""A digest is one word of 71 characters: no page gets wider than a phone by it, wherever a sentence can hold one."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from tests.functional.conftest import Visitor
from tests.functional.test_pages import House, house, pages

__all__ = ["house"]
pytestmark = [pytest.mark.browser, pytest.mark.slow]

DIGEST = f"sha256:{'0123456789abcdef' * 4}"
PHONE_PX, WIDE_ENOUGH_PX = 390, 1
# A digest at the end of every sentence, cell and value, and in a message of each place where messages are.
LENGTHEN = """digest => {
  const message = document.getElementById("announcement")?.content.firstElementChild;
  for (const place of document.querySelectorAll("main, main .section-body, #announcements")) {
    if (message) place.prepend(message.cloneNode(true));
  }
  const sentences = "p, dd, dt, td, th, .help, .error, .message strong, figcaption, legend, blockquote";
  for (const part of document.querySelectorAll(sentences)) part.append(` ${digest}`);
}"""
# What is wider than the screen and does not scroll by itself.
WIDE = """() => [...document.querySelectorAll("body *")].filter((part) => {
  const box = part.getBoundingClientRect();
  if (!box.width || box.right <= innerWidth + 1) return false;
  for (let at = part.parentElement; at; at = at.parentElement) {
    if (at !== document.documentElement && getComputedStyle(at).overflowX !== "visible") return false;
  }
  return true;
}).slice(0, 5).map((part) => `${part.tagName} ${part.className} in ${part.parentElement.className}`)"""


def test_no_page_overflows_with_a_long_digest(visit: Callable[[User | None], Visitor], house: House) -> None:
    visitors: dict[int | None, Visitor] = {}
    faults: dict[str, list[str]] = {}
    for user, path in pages(house):
        key = user.pk if user else None
        visitor = visitors.setdefault(key, visitors.get(key) or visit(user))
        visitor.page.set_viewport_size({"width": PHONE_PX, "height": 900})
        visitor.go(path)
        visitor.page.evaluate(LENGTHEN, DIGEST)
        wider_px = visitor.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wider_px > WIDE_ENOUGH_PX:
            faults[f"{path} as {user}"] = [f"{wider_px} px", *visitor.page.evaluate(WIDE)]
    assert faults == {}, "\n".join(f"{page}\n  " + "\n  ".join(found) for page, found in faults.items())
