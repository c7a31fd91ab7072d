"""The front of a packet, written after its sections: its pages, its outline and anchors, and what a PDF has only once.

The last page of a front is left out. It has the marks of the parts, `#part-0` and so on in the order of the outline,
which lead to the pages of the sections instead.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NumberObject, TextStringObject

from reviews.packets.printing.pdf_file import Mover, reference
from reviews.packets.printing.pdf_pages import Growing
from reviews.packets.printing.pdf_tags import top_of

_PART = re.compile(r"part-(\d+)")


def add_front(grown: Growing, reader: Any, *, places: Sequence[int]) -> None:
    """Write the front and end the file. `places` has the page of each part, counted from 0 in the sections."""
    file, root, mover = grown.file, reader.root_object, Mover(reader, grown.file)
    *pages, marks = reader.pages
    numbers = {page.indirect_reference.idnum: file.number() for page in pages}
    tags, whole = root["/StructTreeRoot"], file.number()
    mover.numbers |= {root.raw_get("/Pages").idnum: grown.tree, root.raw_get("/StructTreeRoot").idnum: whole}
    mover.numbers |= {tags["/K"][0].idnum: grown.top, **numbers}
    _lead(root, marks.indirect_reference.idnum, [reference(grown.pages[place]) for place in places])
    for page in pages:
        _count_links(grown, page, places)
        file.put(numbers[page.indirect_reference.idnum], mover.moved(page))
    file.put(grown.tree, _tree([*numbers.values(), *grown.pages]))
    top = mover.moved(top_of(root))
    top["/K"].extend(grown.elements)
    file.put(grown.top, top)
    file.put(whole, _tags(grown, mover, tags))
    trailer = {"/Root": file.add(mover.moved(root))}
    trailer |= {key: mover.moved(reader.trailer.raw_get(key)) for key in ("/Info", "/ID") if key in reader.trailer}
    mover.write()
    file.close(trailer)


def _lead(root: Any, marks: int, pages: Sequence[Any]) -> None:
    """Let the anchors and the outline lead to the page of each part, from the page with their marks."""
    anchors = root["/Names"]["/Dests"]["/Names"]
    for index in range(0, len(anchors), 2):
        if part := _PART.fullmatch(str(anchors[index])):
            place = anchors[index + 1].get_object()
            anchors[index + 1] = ArrayObject([pages[int(part[1])], *place[1:]])
    marked = (entry for entry in _entries(root["/Outlines"]) if entry["/Dest"][0].idnum == marks)
    for entry, page in zip(marked, pages, strict=True):
        entry[NameObject("/Dest")] = ArrayObject([page, *entry["/Dest"][1:]])


def _entries(outline: Any) -> Iterator[Any]:
    entry = outline.get("/First")
    while entry is not None:
        entry = entry.get_object()
        yield entry
        entry = entry.get("/Next")


def _count_links(grown: Growing, page: Any, places: Sequence[int]) -> None:
    """Describe the links to parts by their pages, and number the links after all pages, as their owners are."""
    for link in (each.get_object() for each in page.get("/Annots", ())):
        if part := _PART.fullmatch(str(link.get("/Dest", ""))):
            number = grown.front_count + places[int(part[1])] + 1
            link[NameObject("/Contents")] = TextStringObject(f"Page {number}")
        link[NameObject("/StructParent")] = NumberObject(link["/StructParent"] + len(grown.pages) - 1)


def _tree(pages: Sequence[int]) -> DictionaryObject:
    kids = ArrayObject(map(reference, pages))
    return _dictionary(Type=NameObject("/Pages"), Count=NumberObject(len(pages)), Kids=kids)


def _tags(grown: Growing, mover: Mover, tree: Any) -> DictionaryObject:
    """The tree of the tags: who owns the marks of each page of the front and the sections, and then its links."""
    numbers = tree["/ParentTree"]["/Nums"]
    # The page that is left out has an entry as well.
    owners = [*numbers[1 : 2 * grown.front_count : 2], *grown.owners, *numbers[2 * grown.front_count + 3 :: 2]]
    entries = ArrayObject()
    for key, owner in enumerate(owners):
        entries.extend((NumberObject(key), mover.moved(owner)))
    top = ArrayObject([reference(grown.top)])
    return _dictionary(Type=NameObject("/StructTreeRoot"), K=top, ParentTree=_dictionary(Nums=entries))


def _dictionary(**values: Any) -> DictionaryObject:
    return DictionaryObject({NameObject(f"/{key}"): value for key, value in values.items()})
