"""Every state has a word and a shape of the sprite; the design's files are what the templates ask for."""

import re
from pathlib import Path

import pytest

from governance.site.web.status_badges import BADGES, badge_of

STATIC = Path(__file__).parents[4] / "governance/site/static/weighbridge"
TEMPLATES = Path(__file__).parents[4] / "templates"
SYMBOLS = set(re.findall(r'<symbol id="([a-z-]+)"', (STATIC / "sprite.svg").read_text()))


@pytest.mark.parametrize("state", BADGES)
def test_a_state_is_told_by_shape_and_word(state):
    look = badge_of(state)
    assert look.shape in SYMBOLS
    assert look.word[0].isupper()
    assert look.tone in {"ok", "warn", "bad", "info", "plain"}


def test_an_unknown_state_is_shown_by_its_name():
    assert badge_of("in_orbit").word == "In orbit"
    assert badge_of("").word == "Unknown"


def test_no_two_outcomes_differ_by_color_alone():
    shapes = {badge_of(state).shape for state in ("cleared", "advised", "review_required", "denied", "indeterminate")}
    assert len(shapes) == 5


def test_every_icon_a_template_names_is_in_the_sprite():
    named = {
        icon for page in TEMPLATES.rglob("*.html") for icon in re.findall(r'{% icon "([a-z-]+)" ', page.read_text())
    }
    assert named
    assert named <= SYMBOLS


def test_every_color_used_is_defined():
    sheets = {path.name: path.read_text() for path in STATIC.glob("*.css")}
    defined = {name for sheet in sheets.values() for name in re.findall(r"(--[a-z0-9-]+):", sheet)}
    used = {name for sheet in sheets.values() for name in re.findall(r"var\((--[a-z0-9-]+)", sheet)}
    assert used <= defined


def _luminance(color: str) -> float:
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [0, 1])
@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        (ink, ground)
        for ink in ("text", "text-soft", "text-faint", "accent", "ok", "warn", "bad")
        for ground in ("face", "surface", "sunken")
    ]
    + [("ok", "ok-wash"), ("warn", "warn-wash"), ("bad", "bad-wash"), ("accent", "accent-wash"), ("text", "bad-wash")],
)
def test_text_keeps_a_contrast_of_4_5_to_1(ink, ground, theme):
    values = dict(re.findall(r"(--[a-z0-9-]+): (#[0-9a-f]{6})", (STATIC / "tokens.css").read_text()))
    pairs = dict(re.findall(r"--([a-z-]+): light-dark\((.+)\);", (STATIC / "theme.css").read_text()))

    def color(name: str) -> str:
        side = pairs[name].split(", ")[theme]
        return side if side.startswith("#") else values[side[4:-1]]

    bright, dark = sorted((_luminance(color(ink)), _luminance(color(ground))), reverse=True)
    assert (bright + 0.05) / (dark + 0.05) >= 4.5
