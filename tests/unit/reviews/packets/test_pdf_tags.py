"""The tags of printed packets: as PDF/UA asks, and kept when sections take the pages of a frame."""

from io import BytesIO

import pytest
from pypdf import PdfReader

from reviews.packets.printing.pdf import render
from reviews.packets.printing.pdf_tags import finished, joined, pages_in
from tests.unit.reviews.packets.tagged import check_tags, elements

pytestmark = pytest.mark.slow

FOOT = "<style>@page { @bottom-right { content: 'Page ' counter(page) } } .leaf { break-before: page }</style>"
PICTURE = b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect width='5' height='5'/></svg>"


def section(name: str, rows: int) -> bytes:
    table = "<table><thead><tr><th>A<th>B<tbody>" + "<tr><th>x<td>y" * rows + "</table>"
    picture = '<img alt="dot" src="asset:dot.svg">'
    html = f'<html lang=en><title>S</title><h2 id="part-0">{name}</h2>{table}{picture}<h3 id="part-1">End</h3><p>text'
    return render(html, assets={"dot.svg": PICTURE})


def frame(leaves: int) -> bytes:
    links = "".join(f'<p><a href="#l{number}">to {number}</a>' for number in range(leaves))
    pages = "".join(f'<div class=leaf id="l{number}"></div>' for number in range(leaves))
    return finished(render(f"<html lang=en><title>All</title>{FOOT}<h1>Front</h1>{links}{pages}", assets={}))


def test_headers_and_footers_are_artifacts_and_headings_have_a_scope() -> None:
    html = f"<html lang=en><title>T</title>{FOOT}<h1>T</h1><table><tr><th>x<td>y</table><p id=p><a href='#p'>to p</a>"
    reader = check_tags(finished(render(html, assets={})))
    assert reader.pages[0].get_contents().get_data().count(b"/Artifact <</Type /Pagination>> BDC") == 1
    assert [link.get_object()["/Contents"] for link in reader.pages[0]["/Annots"]] == ["Page 1"]


def test_sections_keep_their_tags_in_the_pages_of_a_frame() -> None:
    printed = [pages_in(section("One", 80)), pages_in(section("Two", 5))]
    assert [(each.count, dict(each.places)) for each in printed] == [
        (3, {"part-0": 0, "part-1": 2}),
        (1, {"part-0": 0, "part-1": 0}),
    ]
    pdf, pages = joined(frame(4), printed)
    reader = check_tags(pdf)
    texts = [" ".join(page.extract_text().split()) for page in reader.pages]
    assert pages == len(texts) == 5
    assert [text[text.index("Page ") :][:6] for text in texts] == [f"Page {number}" for number in range(1, 6)]
    assert ["One" in text for text in texts] == [False, True, False, False, False]
    top = reader.root_object["/StructTreeRoot"]["/K"][0].get_object()
    assert [each["/S"] for each in elements(top) if each["/S"] in {"/H1", "/H2", "/H3", "/Figure"}] == [
        "/H1",
        *["/H2", "/Figure", "/H3"] * 2,
    ]
    anchors = {name: reader.get_destination_page_number(place) for name, place in reader.named_destinations.items()}
    assert anchors == {"l0": 1, "l1": 2, "l2": 3, "l3": 4}


def test_the_same_sections_give_the_same_bytes() -> None:
    pdf, paper = section("One", 5), frame(1)
    first, again = (joined(paper, [pages_in(pdf)])[0] for _ in range(2))
    assert first == again
    assert PdfReader(BytesIO(first)).pdf_header == "%PDF-1.7"
