"""Charts as answers of their own, for an `img` of our pages."""

from django.http import HttpResponse

ALONE = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


def picture_answer(drawn: str) -> HttpResponse:
    """An SVG that never changes; alone it may load and run nothing."""
    headers = {"Cache-Control": "private, max-age=86400", "Content-Security-Policy": ALONE}
    return HttpResponse(drawn, content_type="image/svg+xml", headers=headers)
