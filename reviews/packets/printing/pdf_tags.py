"""Finish the tags of a PDF of WeasyPrint as PDF/UA asks, and put tagged sections into the pages of a frame.

WeasyPrint tags headers and footers of pages like content that no element owns; here they become artifacts. It relates
the cells of a table to their headings by ids, which collide when sections are joined; here headings have a scope.
"""

import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

from reviews.packets.ports import PrintedPages

_MARK = re.compile(rb"/\w+\s<</MCID (\d+)>>\sBDC")
_ARTIFACT = b"/Artifact <</Type /Pagination>> BDC"
_RUNNING = b"q " + _ARTIFACT + b" /Running Do EMC Q"


def finished(pdf: bytes) -> bytes:
    """The PDF with headers and footers as artifacts, scopes of headings, and without empty elements."""
    from pypdf import PdfReader, PdfWriter  # noqa: PLC0415 -- slow import, needed only where packets are printed

    writer: Any = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf)))
    marks = _trimmed(_top(writer.root_object))
    for page in writer.pages:
        _mark_running(page, marks.get(page.indirect_reference.idnum, frozenset()))
    _describe_links(writer)
    return _written(writer)


def joined(frame: bytes, sections: Sequence[PrintedPages]) -> tuple[bytes, int]:
    """The frame with the pages of the sections in its last pages, which are empty, and their tags after its own.

    Returns it, always the same bytes, and its number of pages.
    """
    from pypdf import PdfReader, PdfWriter  # noqa: PLC0415 -- slow import, needed only where packets are printed

    writer: Any = PdfWriter(clone_from=PdfReader(io.BytesIO(frame)))
    top, parents = _top(writer.root_object), writer.root_object["/StructTreeRoot"]["/ParentTree"]["/Nums"]
    number = len(writer.pages) - sum(section.count for section in sections)
    for section in sections:
        reader = section.source
        leaves = [writer.pages[number + index] for index in range(len(reader.pages))]
        _graft(reader, top, leaves)
        owners = reader.root_object["/StructTreeRoot"]["/ParentTree"]["/Nums"]
        for index, (leaf, page) in enumerate(zip(leaves, reader.pages, strict=True)):
            _fill(leaf, page, writer)
            parents[2 * (number + index) + 1] = owners[2 * index + 1].clone(writer)
        number += len(leaves)
    return _written(writer), number


def pages_in(pdf: bytes) -> PrintedPages:
    """The pages and anchors of a section."""
    reader = _reader(pdf)
    numbers = {page.indirect_reference.idnum: index for index, page in enumerate(reader.pages)}
    places = {name: numbers[page.idnum] for name, page in _anchors(reader.root_object)}
    return PrintedPages(len(numbers), places, reader)


def _anchors(root: Any) -> Iterator[tuple[str, Any]]:
    names = root.get("/Names", {}).get("/Dests", {}).get("/Names", ())
    for name, place in zip(names[::2], names[1::2], strict=True):
        yield str(name), place.get_object().get_object()[0]


def _trimmed(top: Any) -> dict[int, set[int]]:
    """Set scopes and drop empty elements. Returns the marks that elements own, by object of the page."""
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


def _mark_running(page: Any, owned: frozenset[int] | set[int]) -> None:
    content = page["/Contents"].get_object()

    def mark(found: re.Match[bytes]) -> bytes:
        return found[0] if int(found[1]) in owned else _ARTIFACT

    _put(page, Contents=_stream(_MARK.sub(mark, content.get_data()), page.indirect_reference.pdf))


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


def _graft(reader: Any, top: Any, leaves: Sequence[Any]) -> None:
    """Move the elements of a section below `top`; each belongs to the leaf that takes its page."""
    leaf_of = {page.indirect_reference.idnum: leaf for page, leaf in zip(reader.pages, leaves, strict=True)}
    section = _top(reader.root_object)
    _trimmed(section)
    for element in _elements(section):
        if "/Pg" in element:
            _put(element, Pg=leaf_of[element.raw_get("/Pg").idnum].indirect_reference)
    for kid in section["/K"]:
        _put(kid.get_object(), P=top.indirect_reference)
    top["/K"].extend(section["/K"].clone(leaves[0].indirect_reference.pdf))


def _fill(leaf: Any, page: Any, writer: Any) -> None:
    """Draw the page of a section on the leaf, whose own content, header and footer, becomes a form."""
    from pypdf.generic import ArrayObject, DictionaryObject  # noqa: PLC0415 -- as above

    running = leaf["/Contents"].get_object()
    _put(running, Type=_name("XObject"), Subtype=_name("Form"), BBox=leaf["/MediaBox"], Resources=leaf["/Resources"])
    # Copies: the pages of a section share their resources, but each has a header and footer of its own.
    resources = DictionaryObject(page["/Resources"].clone(writer).get_object())
    forms = DictionaryObject(resources.get("/XObject", DictionaryObject()).get_object())
    _put(forms, Running=running.indirect_reference)
    _put(resources, XObject=forms)
    contents = ArrayObject([_stream(_RUNNING, writer), page.raw_get("/Contents").clone(writer)])
    _put(leaf, Contents=contents, Resources=resources)


def _top(root: Any) -> Any:
    """The element of the whole document."""
    return root["/StructTreeRoot"]["/K"][0].get_object()


def _reader(pdf: bytes) -> Any:
    from pypdf import PdfReader  # noqa: PLC0415 -- as above

    return PdfReader(io.BytesIO(pdf))


def _put(target: Any, **values: Any) -> None:
    for key, value in values.items():
        target[_name(key)] = value


def _name(word: str) -> Any:
    from pypdf.generic import NameObject  # noqa: PLC0415 -- as above

    return NameObject(f"/{word}")


def _stream(content: bytes, writer: Any) -> Any:
    from pypdf.generic import DecodedStreamObject  # noqa: PLC0415 -- as above

    stream = DecodedStreamObject()
    stream.set_data(content)
    return writer._add_object(stream.flate_encode())  # noqa: SLF001 -- pypdf has no public name for it


def _written(writer: Any) -> bytes:
    written = io.BytesIO()
    writer.pdf_header = "%PDF-1.7"
    writer.write(written)
    return written.getvalue()
