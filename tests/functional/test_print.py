"""Pages on paper: a wide table keeps its last column, and no page of the paper is empty."""

import io
from collections.abc import Callable
from datetime import datetime

import pytest
from django.contrib.auth.models import User
from pypdf import PdfReader

from tests.factories import requests as walks
from tests.factories.people import Cast
from tests.functional.conftest import Visitor
from tests.functional.test_pages import _write_rulebook

pytestmark = [pytest.mark.browser, pytest.mark.slow]

WORDS_MIN_CHARS = 400
"""A page with fewer characters is nearly empty."""
# A table with ten more columns that cannot wrap, in a region that scrolls on the screen.
WIDEN = """() => {
  const region = document.querySelector(".table-scroll"), table = region.querySelector("table");
  for (const [number, row] of [...table.rows].entries()) {
    for (let column = 0; column < 10; column += 1) {
      const cell = row.appendChild(document.createElement("td"));
      cell.className = "number";
      cell.textContent = `more${number}x${column}`;
    }
  }
  return [table.rows.length, region.scrollWidth > region.clientWidth];
}"""


def printed(visitor: Visitor) -> list[str]:
    """The words of each page of the paper; what is cut off at an edge is none of them."""
    content = visitor.page.pdf(format="A4", margin={"top": "15mm", "bottom": "15mm", "left": "12mm", "right": "12mm"})
    return [page.extract_text() for page in PdfReader(io.BytesIO(content)).pages]


def test_a_request_on_paper_is_whole(visit: Callable[[User | None], Visitor], cast: Cast, now: datetime) -> None:
    _write_rulebook(cast, now)
    request = walks.make_decided(cast=cast, now=now)
    visitor = visit(cast.approver)
    for tab in ("", "evidence/", "policy/", "costs/"):
        visitor.go(f"/requests/{request.ref}/{tab}")
        rows, is_wide = visitor.page.evaluate(WIDEN)
        pages = printed(visitor)
        words = " ".join(pages).split()
        assert (rows > 1, is_wide) == (True, True)
        assert [word for word in (f"more{row}x9" for row in range(rows)) if word not in words] == []
        assert min(map(len, pages)) > WORDS_MIN_CHARS
    visitor.go(f"/requests/{request.ref}/history/")
    assert min(map(len, printed(visitor))) > WORDS_MIN_CHARS
