"""Finish the tags of a PDF of WeasyPrint as PDF/UA asks.

WeasyPrint tags headers and footers of pages like content that no element owns; here they become artifacts. It relates
the cells of a table to their headings by ids, which collide when sections are joined; here headings have a scope.
"""

import io
import re
from collections.abc import Collection, Iterator
from typing import Any

from reviews.packets.ports import PrintedPages

_MARK = re.compile(rb"/\w+\s<</MCID (\d+)>>\sBDC")
ARTIFACT = b"/Artifact <</Type /Pagination>> BDC"


def finished(pdf: bytes) -> bytes:
    """The PDF with headers and footers as artifacts, scopes of headings, and without empty elements."""
    from pypdf import PdfReader, PdfWriter  # noqa: PLC0415 -- slow import, needed only where packets are printed

    writer: Any = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf)))
    marks = trimmed(top_of(writer.root_object))
    for page in writer.pages:
        _mark_running(page, marks.get(page.indirect_reference.idnum, frozenset()))
    _describe_links(writer)
    return _written(writer)


def pages_in(pdf: bytes) -> PrintedPages:
    """The pages and anchors of a section."""
    from pypdf import PdfReader  # noqa: PLC0415 -- as above

    reader: Any = PdfReader(io.BytesIO(pdf))
    numbers = {page.indirect_reference.idnum: index for index, page in enumerate(reader.pages)}
    places = {name: numbers[page.idnum] for name, page in _anchors(reader.root_object)}
    return PrintedPages(len(numbers), places)


def _anchors(root: Any) -> Iterator[tuple[str, Any]]:
    names = root.get("/Names", {}).get("/Dests", {}).get("/Names", ())
    for name, place in zip(names[::2], names[1::2], strict=True):
        yield str(name), place.get_object().get_object()[0]


def trimmed(top: Any) -> dict[int, set[int]]:
    """Set scopes and drop empty elements below `top`. Returns the marks that elements own, by object of the page."""
    marks: dict[int, set[int]] = {}
    for element in _elements(top):
        _set_scope(element)
        page = element.raw_get("/Pg").idnum if "/Pg" in element else 0
        marks.setdefault(page, set()).update(kid for kid in element["/K"] if isinstance(kid, int))
    _prune(top)
    return marks


def _elements(parent: Any) -> Iterator[Any]:
    for kid in parent["/K"]:
        child = kid.get_object()
        if isinstance(child, dict) and "/S" in child:
            yield child
            yield from _elements(child)


def _prune(parent: Any) -> None:
    """Without the elements that have no content. A cell stays, because it keeps its column."""
    kept = []
    for kid in parent["/K"]:
        child = kid.get_object()
        if isinstance(child, dict) and "/S" in child:
            _prune(child)
            if not child["/K"] and child["/S"] not in {"/TD", "/TH"}:
                continue
        kept.append(kid)
    parent["/K"][:] = kept


def _set_scope(element: Any) -> None:
    if element["/S"] not in {"/TH", "/TD"} or "/A" not in element:
        return
    element["/A"].pop("/Headers", None)
    element.pop("/ID", None)
    if element["/S"] == "/TH":
        row = element["/P"]
        _put(element["/A"], Scope=_name("Column" if row["/P"]["/S"] == "/THead" else "Row"))


def with_artifacts(content: bytes, *, owned: Collection[int]) -> bytes:
    """The content of a page, in which whatever has none of the `owned` marks is an artifact."""

    def mark(found: re.Match[bytes]) -> bytes:
        return found[0] if int(found[1]) in owned else ARTIFACT

    return _MARK.sub(mark, content)


def stream_of(content: bytes) -> Any:
    """A compressed stream."""
    from pypdf.generic import DecodedStreamObject  # noqa: PLC0415 -- as above

    stream = DecodedStreamObject()
    stream.set_data(content)
    return stream.flate_encode()


def _mark_running(page: Any, owned: Collection[int]) -> None:
    writer, content = page.indirect_reference.pdf, page["/Contents"].get_object().get_data()
    stream = stream_of(with_artifacts(content, owned=owned))
    _put(page, Contents=writer._add_object(stream))  # noqa: SLF001 -- pypdf has no public name for it


def _describe_links(writer: Any) -> None:
    """Links in the order of the tags, each described by its page; WeasyPrint describes it by the name of its anchor."""
    from pypdf.generic import TextStringObject  # noqa: PLC0415 -- as above

    numbers = {page.indirect_reference.idnum: number for number, page in enumerate(writer.pages, start=1)}
    anchors = {name: numbers[page.idnum] for name, page in _anchors(writer.root_object)}
    for page in writer.pages:
        for link in page.get("/Annots", ()):
            _put(page, Tabs=_name("S"))
            if (name := str(link.get_object().get("/Dest", ""))) in anchors:
                _put(link.get_object(), Contents=TextStringObject(f"Page {anchors[name]}"))


def top_of(root: Any) -> Any:
    """The element of the whole document."""
    return root["/StructTreeRoot"]["/K"][0].get_object()


def _put(target: Any, **values: Any) -> None:
    for key, value in values.items():
        target[_name(key)] = value


def _name(word: str) -> Any:
    from pypdf.generic import NameObject  # noqa: PLC0415 -- as above

    return NameObject(f"/{word}")


def _written(writer: Any) -> bytes:
    written = io.BytesIO()
    writer.pdf_header = "%PDF-1.7"
    writer.write(written)
    return written.getvalue()
