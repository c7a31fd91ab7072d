"""The contrast of each part of a picture, by pixels: a page with the part, and the same page without it.

What differs is the part, and what was under it is its own background; nothing else in the picture can lend it contrast.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Locator, Page

TEXT, MARK = 4.5, 3.0
"""WCAG 2.2, 1.4.3 and 1.4.11."""
SCALE = 2
SEEN_PX, SEEN_SHARE = 4, 0.02
"""How much of a part must reach the ratio: thin strokes have blurred edges, and a band is known by its edges."""
MARGIN_PX = 2
# Shapes and texts of a drawing that carry meaning, each with a number and the key of those that are hidden together.
# Left out: rules of a grid, ticks, grounds, and the wide invisible shapes that catch the pointer.
PARTS = """(drawing) => {
  const kinds = "path, line, rect, circle, ellipse, polyline, polygon, text";
  const unseen =
    "defs *, pattern *, .chart-grid, .chart-stop, .meter-ground, .role-axis-grid *, .role-axis-tick *, .background, " +
    "svg > [fill='#ffffff']";
  const isPainted = (paint) => paint !== "none" && !paint.endsWith(", 0)") && paint !== "transparent";
  return [...drawing.querySelectorAll(kinds)].flatMap((part) => {
    const box = part.getBoundingClientRect(), style = getComputedStyle(part);
    if (part.matches(unseen) || box.width + box.height === 0 || style.opacity === "0") return [];
    if (!isPainted(style.fill) && !isPainted(style.stroke)) return [];
    const group = part.closest("[class*=tone-], [class*=mark-]")?.getAttribute("class") ?? "";
    const own = part.getAttribute("class") ?? part.parentElement.getAttribute("class") ?? "";
    const isText = part.localName === "text";
    part.dataset.key = isText ? "text" : `${own} ${group.replace(/tone-./, "")}`;
    return [{ key: part.dataset.key, name: `${own} ${group}`.trim() || part.localName, isText,
              words: isText ? part.textContent.trim() : "",
              x: box.x + scrollX, y: box.y + scrollY, width: box.width, height: box.height }];
  });
}"""
# A text without its fill keeps its halo: the halo is the ground that a reader sees around it.
HIDE = """(drawing, [key, from]) => drawing.querySelectorAll("[data-key]").forEach((part, place) => {
  if (from === null ? part.dataset.key !== key : place < from) return;
  const [property, value] = part.localName === "text" ? ["fill", "transparent"] : ["visibility", "hidden"];
  part.dataset.before = part.style.getPropertyValue(property);
  part.style.setProperty(property, value, "important");
})"""
SHOW = """(drawing) => drawing.querySelectorAll("[data-before]").forEach((part) => {
  const property = part.localName === "text" ? "fill" : "visibility";
  part.style.setProperty(property, part.dataset.before);
  delete part.dataset.before;
})"""


@dataclass(frozen=True)
class PartContrast:
    """A part of a drawing, and the ratio that enough of its pixels have to what lies under them; 1 if none is seen."""

    name: str
    ratio: float
    is_text: bool

    @property
    def is_faint(self) -> bool:
        """Whether it is below what WCAG asks for."""
        return self.ratio < (TEXT if self.is_text else MARK)


def luminance(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Relative luminance of pixels (0 to 255 in the last axis), WCAG 2.2."""
    parts = pixels.astype(float) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])  # type: ignore[no-any-return]  # a matrix product is an array


def seen_ratio(shown: np.ndarray[Any, Any], hidden: np.ndarray[Any, Any], *, scale: int = SCALE) -> float:
    """The contrast that enough of the differing pixels reach; 1 if the pictures are the same."""
    one, other = luminance(shown), luminance(hidden)
    differs = np.any(shown != hidden, axis=2)
    ratios = np.sort((np.maximum(one, other) + 0.05)[differs] / (np.minimum(one, other) + 0.05)[differs])[::-1]
    if not len(ratios):
        return 1.0
    enough = max(SEEN_PX * scale**2, SEEN_SHARE * len(ratios))
    return float(ratios[int(min(enough, len(ratios) / 2))])


def contrasts(page: Page, drawings: Locator) -> Iterator[PartContrast]:
    """The contrast of all parts of the drawings (SVG elements)."""
    for drawing in drawings.all():
        parts = drawing.evaluate(PARTS)
        shown = _pixels(drawing) if parts else None
        for key in dict.fromkeys(part["key"] for part in parts):
            hidden = _without(drawing, key, None)
            origin = page.evaluate("box => [box.x + scrollX, box.y + scrollY]", drawing.bounding_box())
            for place, part in ((place, each) for place, each in enumerate(parts) if each["key"] == key):
                yield _uncovered(drawing, place, part, _of_part(part, shown, hidden, origin), origin)


def _of_part(part: dict[str, Any], shown: Any, hidden: Any, origin: tuple[float, float]) -> PartContrast:
    cut = _cut(part, origin)
    name = " ".join(filter(None, (part["name"], part["words"])))
    return PartContrast(name, round(seen_ratio(shown[cut], hidden[cut]), 2), part["isText"])


def _uncovered(
    drawing: Locator, place: int, part: dict[str, Any], found: PartContrast, origin: tuple[float, float]
) -> PartContrast:
    """A mark that others cover, such as an interval behind its dot, is judged by what lies under it alone."""
    if found.is_text or not found.is_faint:
        return found
    above, below = _without(drawing, "", place + 1), _without(drawing, "", place)
    return _of_part(part, above, below, origin)


def _without(drawing: Locator, key: str, first: int | None) -> np.ndarray[Any, Any]:
    """The picture without the parts of a key, or without all parts from the `first` on."""
    drawing.evaluate(HIDE, [key, first])
    pixels = _pixels(drawing)
    drawing.evaluate(SHOW)
    return pixels


def _pixels(drawing: Locator) -> np.ndarray[Any, Any]:
    return np.array(Image.open(io.BytesIO(drawing.screenshot(animations="disabled"))).convert("RGB"))


def _cut(part: dict[str, Any], origin: tuple[float, float]) -> tuple[slice, slice]:
    left, top = part["x"] - origin[0] - MARGIN_PX, part["y"] - origin[1] - MARGIN_PX
    right, bottom = left + part["width"] + 2 * MARGIN_PX, top + part["height"] + 2 * MARGIN_PX
    first_x, first_y, last_x, last_y = (max(0, round(each * SCALE)) for each in (left, top, right, bottom))
    return slice(first_y, last_y), slice(first_x, last_x)
