"""Small marks of pages: icons and badges. A page has many, so they are made without a template."""

from functools import cache

from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from governance.site.web.status_badges import badge_of


@cache
def icon(name: str, motion: str = "") -> SafeString:
    """An icon of the sprite, hidden from screen readers: `{% icon "check" %}`; `motion` may be "spin"."""
    kind = f"icon {motion}".rstrip()
    picture = '<svg class="{}" aria-hidden="true" width="16" height="16"><use href="{}#{}" /></svg>'
    return format_html(picture, kind, static("weighbridge/sprite.svg"), name)


def badge(state: str, word: str = "", kind: str = "", size: str = "") -> SafeString:
    """A state with its tone, shape and word: `{% badge run.state kind="filled" size="large" %}`.

    `state` is a key of `status_badges.py`; `word` stands in the place of the state's own.
    """
    found = badge_of(str(state))
    classes = " ".join(["badge", *(f"badge-{each}" for each in (kind, size) if each)])
    mark = icon(found.shape, "spin" if found.shape == "turning" else "")
    return format_html('<span class="{}" data-tone="{}">{} {}</span>', classes, found.tone, mark, word or found.word)
