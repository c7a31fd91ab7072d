"""The tags of printed packets: as PDF/UA asks, and kept when sections take the pages of a frame."""

from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from reviews.packets.ports import PrintFailed
from reviews.packets.printing.pdf import render
from reviews.packets.printing.pdf_file import PACK
from reviews.packets.printing.pdf_join import PacketParts, PageJoiner
from reviews.packets.printing.pdf_joined import join
from reviews.packets.printing.pdf_tags import finished, pages_in
from tests.unit.reviews.packets.tagged import check_tags, elements

pytestmark = pytest.mark.slow

FOOT = (
    "<style>@page { @bottom-right { content: 'Page ' counter(page) } } .leaf { break-before: page }"
    " .mark { bookmark-level: 1; bookmark-label: 'x' }</style>"
)
PICTURE = b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect width='5' height='5'/></svg>"


def section(name: str, rows: int) -> bytes:
    table = "<table><thead><tr><th>A<th>B<tbody>" + "<tr><th>x<td>y" * rows + "</table>"
    picture = '<img alt="dot" src="asset:dot.svg">'
    html = f'<html lang=en><title>S</title><h2 id="part-0">{name}</h2>{table}{picture}<h3 id="part-1">End</h3><p>text'
    return render(html, assets={"dot.svg": PICTURE})


def parts_in(folder: Path, sections: dict[str, int]) -> PacketParts:
    """The files of a packet whose sections have so many rows; the leaves are in two files."""
    files, places, count = [], list[int](), 0
    for name, rows in sections.items():
        files.append(kept(folder / name, section(name, rows)))
        pages = pages_in(files[-1].read_bytes())
        places.extend(count + place for place in pages.places.values())
        count += pages.count
    links = "".join(f'<p><a href="#part-{number}">to {number}</a>' for number in range(len(places)))
    marks = "".join(f'<div id="part-{number}" class=mark></div>' for number in range(len(places)))
    front = f"<html lang=en><title>All</title>{FOOT}<h1>Front</h1>{links}<div class=leaf></div>{marks}"
    sheets = [range(2, 3), range(3, count + 2)]
    leaves = [kept(folder / f"leaves-{sheet[0]}", render(leaves_of(sheet), assets={})) for sheet in sheets]
    whole = kept(folder / "front", finished(render(front, assets={})))
    return PacketParts(front=whole, leaves=leaves, sections=files, places=places)


def leaves_of(numbers: range) -> str:
    first = f"<style>@page :first {{ counter-reset: page {numbers[0]} }}</style>"
    return f"<html lang=en><title>All</title>{FOOT}{first}" + "<div class=leaf></div>" * len(numbers)


def kept(file: Path, pdf: bytes) -> Path:
    file.write_bytes(pdf)
    return file


def joined(parts: PacketParts) -> bytes:
    out = BytesIO()
    join(parts, out, on_joined=lambda _: None)
    return out.getvalue()


def test_headers_and_footers_are_artifacts_and_headings_have_a_scope() -> None:
    html = f"<html lang=en><title>T</title>{FOOT}<h1>T</h1><table><tr><th>x<td>y</table><p id=p><a href='#p'>to p</a>"
    reader = check_tags(finished(render(html, assets={})))
    assert reader.pages[0].get_contents().get_data().count(b"/Artifact <</Type /Pagination>> BDC") == 1
    assert [link.get_object()["/Contents"] for link in reader.pages[0]["/Annots"]] == ["Page 1"]


def test_sections_keep_their_tags_in_the_pages_of_a_frame(tmp_path: Path) -> None:
    parts, told = parts_in(tmp_path, {"One": 80, "Two": 5}), list[int]()
    printed = [pages_in(file.read_bytes()) for file in parts.sections]
    assert [(each.count, dict(each.places)) for each in printed] == [
        (3, {"part-0": 0, "part-1": 2}),
        (1, {"part-0": 0, "part-1": 0}),
    ]
    PageJoiner().join(parts, tmp_path / "whole", on_joined=told.append)
    reader = check_tags((tmp_path / "whole").read_bytes())
    texts = [" ".join(page.extract_text().split()) for page in reader.pages]
    assert (told, len(texts)) == ([3, 4], 5)
    assert [text[text.index("Page ") :][:6] for text in texts] == [f"Page {number}" for number in range(1, 6)]
    assert ["One" in text for text in texts] == [False, True, False, False, False]
    top = reader.root_object["/StructTreeRoot"]["/K"][0].get_object()
    assert [each["/S"] for each in elements(top) if each["/S"] in {"/H1", "/H2", "/H3", "/Figure"}] == [
        "/H1",
        *["/H2", "/Figure", "/H3"] * 2,
    ]
    anchors = {name: reader.get_destination_page_number(place) for name, place in reader.named_destinations.items()}
    assert anchors == {"part-0": 1, "part-1": 3, "part-2": 4, "part-3": 4}
    links = [link.get_object() for link in reader.pages[0]["/Annots"]]
    assert [link["/Contents"] for link in links] == ["Page 2", "Page 4", "Page 5", "Page 5"]
    numbers = reader.root_object["/StructTreeRoot"]["/ParentTree"]["/Nums"]
    assert (numbers[::2], [link["/StructParent"] for link in links]) == ([*range(9)], [5, 6, 7, 8])
    assert [numbers[2 * link["/StructParent"] + 1].get_object()["/S"] for link in links] == ["/Link"] * 4
    assert len(reader.xref_objStm) > PACK


def test_the_same_sections_give_the_same_bytes(tmp_path: Path) -> None:
    parts = parts_in(tmp_path, {"One": 80})
    first, again = (joined(parts) for _ in range(2))
    assert first == again
    assert PdfReader(BytesIO(first)).pdf_header == "%PDF-1.7"


def test_a_child_that_cannot_join_ends_in_words(tmp_path: Path) -> None:
    nothing = PacketParts(front=tmp_path / "none", leaves=[], sections=[], places=[])
    out = tmp_path / "whole"
    with pytest.raises(PrintFailed, match=r"not joined: FileNotFoundError: .*none'\. Try again\."):
        PageJoiner().join(nothing, out, on_joined=print)
    words = r"not joined: it ended early, most likely because of its memory or time\."
    with pytest.raises(PrintFailed, match=words):
        PageJoiner(wall_max_s=0.01).join(nothing, out, on_joined=print)
