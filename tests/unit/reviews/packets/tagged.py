"""What PDF/UA asks of the tags of a PDF, read with pypdf."""

import re
from collections.abc import Iterator
from io import BytesIO
from itertools import pairwise
from typing import Any

from pypdf import PdfReader

LINES_MIN = 8


def check_filled(reader: PdfReader) -> None:
    """No page is nearly empty."""
    for page in reader.pages:
        lines = [line for line in page.extract_text().splitlines() if line.strip()]
        assert len(lines) >= LINES_MIN, lines


def check_tags(pdf: bytes) -> PdfReader:
    """The opened PDF, if its structure and content are as PDF/UA-1 asks."""
    reader = PdfReader(BytesIO(pdf))
    root: Any = reader.root_object
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert root["/Lang"] == "en"
    assert b'pdfuaid:part="1"' in root["/Metadata"].get_object().get_data()
    top = root["/StructTreeRoot"]["/K"][0].get_object()
    assert top["/S"] == "/Document"
    owners: dict[int, set[int]] = {}
    for element in elements(top):
        marks = [kid for kid in element["/K"] if isinstance(kid, int)]
        if marks:
            owners.setdefault(element.raw_get("/Pg").idnum, set()).update(marks)
        assert element["/S"] != "/Figure" or element["/Alt"].strip()
        assert element["/S"] != "/TH" or element["/A"]["/Scope"] in {"/Row", "/Column"}
    check_headings(top)
    check_owners(reader)
    for page in reader.pages:
        assert marks_of(page) == owners.get(page.indirect_reference.idnum, set())
        for link in page.get("/Annots", ()):
            assert link.get_object()["/Contents"]
            assert page["/Tabs"] == "/S"
    return reader


def elements(parent: Any) -> Iterator[Any]:
    """Every element below this one, in reading order; each names the one above it."""
    for kid in parent["/K"]:
        child = kid.get_object()
        if isinstance(child, dict) and "/S" in child:
            assert child["/P"] == parent
            yield child
            yield from elements(child)


def check_headings(top: Any) -> None:
    """One first heading, and none a level deeper than the one before it allows."""
    levels = [int(each["/S"][2:]) for each in elements(top) if re.fullmatch(r"/H\d", each["/S"])]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for table in (each for each in elements(top) if each["/S"] == "/Table"):
        assert any(each["/S"] == "/TH" for each in elements(table))


def check_heads(reader: PdfReader) -> None:
    """No heading ends a page: its content begins there, with two rows, items or paragraphs if it has them."""
    pages = {page.indirect_reference.idnum: number for number, page in enumerate(reader.pages, start=1)}
    found = list(elements(reader.root_object["/StructTreeRoot"]["/K"][0].get_object()))
    places = [index for index, each in enumerate(found) if re.fullmatch(r"/H\d", each["/S"])]
    for place, end in pairwise([*places, len(found)]):
        units = _units([each for each in found[place + 1 : end] if _begins(each, pages)])
        begun = [_begins(each, pages) for each in units[:2] or found[end : end + 1]]
        assert set(begun) <= {_begins(found[place], pages)}, (_begins(found[place], pages), begun, units[:2])


def _units(content: list[Any]) -> list[Any]:
    """The rows below the head of a table; without any, items of lists, figures and paragraphs."""
    rows = [each for each in content if each["/S"] == "/TR" and each["/P"]["/S"] != "/THead"]
    return rows or [each for each in content if each["/S"] in {"/LI", "/Figure", "/P"}]


def _begins(element: Any, pages: dict[int, int]) -> int:
    """The number of the page of the first content of an element; 0 without any."""
    leaves = (each for each in (element, *elements(element)) if any(isinstance(kid, int) for kid in each["/K"]))
    return next((pages[each.raw_get("/Pg").idnum] for each in leaves), 0)


def check_owners(reader: PdfReader) -> None:
    """The parent tree leads from each mark to the element that owns it."""
    numbers = reader.root_object["/StructTreeRoot"]["/ParentTree"]["/Nums"]
    owners = dict(zip(numbers[::2], numbers[1::2], strict=True))
    assert [page["/StructParents"] for page in reader.pages] == list(range(len(reader.pages)))
    for page in reader.pages:
        for mark in marks_of(page):
            owner = owners[page["/StructParents"]][mark].get_object()
            assert mark in owner["/K"]
            assert owner["/Pg"] == page


def marks_of(page: Any) -> set[int]:
    """The numbers of the tagged content. Whatever is drawn is tagged or an artifact."""
    found, depth = set(), 0
    for operands, operator in page.get_contents().operations:
        if operator == b"BDC" and "/MCID" in operands[1]:
            found.add(int(operands[1]["/MCID"]))
        depth += (operator in {b"BDC", b"BMC"}) - (operator == b"EMC")
        assert operator not in {b"Tj", b"TJ", b"Do"} or depth > 0
    return found
