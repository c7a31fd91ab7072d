"""Template tags: `{% load discussions %}`."""

from collections.abc import Collection
from typing import Any

from django import template
from django.template.context import Context
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from reviews.discussions.domain.mentions import TextKind, TextPiece, pieces
from weighbridge.core.addresses import safe_link

register = template.Library()


@register.filter
def comment_text(text: str, people: Collection[str]) -> SafeString:
    """The text of a comment: escaped, with links to web addresses, and the mentioned people marked.

    Its style keeps line breaks.
    """
    return format_html_join("", "{}", ((_shown(piece),) for piece in pieces(text, people=people)))


def _shown(piece: TextPiece) -> str:
    if piece.kind is TextKind.MENTION:
        return format_html('<strong class="mention">{}</strong>', piece.text)
    if piece.kind is TextKind.LINK and (address := safe_link(piece.text)):
        return format_html('<a href="{}" rel="noopener nofollow">{}</a>', address, piece.text)
    return piece.text


@register.inclusion_tag("reviews/discussions/discuss_link.html", takes_context=True)
def discuss_link(context: Context, part: str, name: str, title: str) -> dict[str, Any]:
    """A link to the threads on a part of the request of the page, with the number of their comments."""
    discussion = context.get("discussion")
    if discussion is None:
        return {}
    about = f"{part}:{name}"
    return {
        "href": f"{reverse('reviews:discussion', args=[discussion.kind, discussion.ref])}?about={about}",
        "title": title,
        "count": discussion.counts.get(about, 0),
    }
