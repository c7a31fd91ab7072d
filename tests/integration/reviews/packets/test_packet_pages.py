"""The printed pages are counted in what the printer really writes."""

import io
from pathlib import Path
from typing import Any

import pypdf
import pytest
from django.template.loader import render_to_string

from reviews.packets.printing.pdf import WeasyPrintPrinter
from reviews.packets.queries.packet import packet_page, pages_of
from tests.integration.reviews.packets.packet_journey import Journey


def printed(*pages: str, title: str = "A packet") -> bytes:
    sheet = "<style>section { break-after: page } body { font: 9pt 'DejaVu Sans' }</style>"
    body = "".join(f"<section><h1>{each}</h1></section>" for each in pages)
    html = f"<!doctype html><html lang=en><head><title>{title}</title>{sheet}</head><body>{body}</body></html>"
    return WeasyPrintPrinter().print(html, assets={})


@pytest.mark.django_db
def test_a_decided_request_prints(tmp_path: Path, settings: Any) -> None:
    request = Journey(tmp_path, settings).approved(is_conditional=True)
    page = packet_page(request.packets.get())
    pdf = WeasyPrintPrinter().print(render_to_string("reviews/packets/review.html", page.context), assets=page.assets)

    reader = pypdf.PdfReader(io.BytesIO(pdf))
    assert pages_of(pdf) == len(reader.pages) >= 4
    text = "\n".join(each.extract_text() for each in reader.pages)
    assert "MRR-2026-0001" in text
    assert "Approved with conditions" in text


@pytest.mark.parametrize("count", [1, 2, 12])
def test_every_page_counts_once(count: int) -> None:
    pdf = printed(*("Here" for _ in range(count)))
    assert pages_of(pdf) == len(pypdf.PdfReader(io.BytesIO(pdf)).pages) == count


def test_a_title_is_no_page() -> None:
    trick = r"a) /Type /Page (b \) &lt;&lt; /Type /Page &gt;&gt;"
    pdf = printed(trick, "Second", title=trick)
    assert pages_of(pdf) == len(pypdf.PdfReader(io.BytesIO(pdf)).pages) == 2


def test_plainly_written_objects_are_counted_too() -> None:
    writer = pypdf.PdfWriter()
    for _ in range(3):
        writer.add_blank_page(width=100, height=100)
    out = io.BytesIO()
    writer.write(out)
    assert b"/ObjStm" not in out.getvalue()
    assert pages_of(out.getvalue()) == 3
