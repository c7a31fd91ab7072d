"""Charts as separate responses for `img` elements."""

from django.http import HttpResponse

ALONE = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


def svg_response(drawn: str) -> HttpResponse:
    """The response for an immutable SVG, with a policy that forbids loading and scripts."""
    headers = {"Cache-Control": "private, max-age=86400", "Content-Security-Policy": ALONE}
    return HttpResponse(drawn, content_type="image/svg+xml", headers=headers)
