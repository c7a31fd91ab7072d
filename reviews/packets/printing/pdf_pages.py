"""The pages of the sections of a packet, in a PDF that grows: each is drawn on a leaf, which has its header and footer.

Their tags follow those of the front, which is written last.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NumberObject

from reviews.packets.printing.pdf_file import Mover, PdfFile, reference
from reviews.packets.printing.pdf_tags import ARTIFACT, stream_of, top_of, trimmed, with_artifacts

Leaves = Iterator[tuple[Any, Mover]]
RUNNING = b"q " + ARTIFACT + b" /Running Do EMC Q"
# The rest of a page is that of its leaf.
_OF_SECTION = {"/Parent", "/Contents", "/Resources", "/StructParents"}


@dataclass(frozen=True)
class Growing:
    """The PDF as it grows: the numbers of its page tree and of its top element, and what draws a header and footer.

    `pages`, `elements` and `owners` are those of the sections: their numbers, the references of the elements below the
    top, and for each page those of the owners of its marks.
    """

    file: PdfFile
    front_count: int
    tree: int
    top: int
    running: Any
    pages: list[int] = field(default_factory=list)
    elements: list[Any] = field(default_factory=list)
    owners: list[Any] = field(default_factory=list)


def begun(file: PdfFile, *, front_count: int) -> Growing:
    """A PDF with no page yet, whose front has `front_count` pages."""
    return Growing(file, front_count, file.number(), file.number(), file.add(stream_of(RUNNING)))


def opened(file: Path) -> Any:
    """The reader of a PDF, which has all of it in memory."""
    return PdfReader(io.BytesIO(file.read_bytes()))


def leaves_of(files: Iterable[Path], into: PdfFile) -> Leaves:
    """The leaves in order, each with what moves it."""
    for file in files:
        reader = opened(file)
        mover = Mover(reader, into)
        for page in reader.pages:
            yield page, mover
            mover.write()


def add_section(grown: Growing, reader: Any, leaves: Leaves) -> None:
    """Draw the pages of a section on the next leaves."""
    tree, mover = reader.root_object["/StructTreeRoot"], Mover(reader, grown.file)
    top, owners = top_of(reader.root_object), tree["/ParentTree"]["/Nums"]
    trimmed(top)
    numbers = {page.indirect_reference.idnum: grown.file.number() for page in reader.pages}
    mover.numbers |= {tree["/K"][0].idnum: grown.top, **numbers}
    for index, (number, page) in enumerate(zip(numbers.values(), reader.pages, strict=True)):
        grown.file.put(number, _filled(grown, mover, page, next(leaves)))
        grown.owners.append(grown.file.add(mover.moved(owners[2 * index + 1])))
        grown.pages.append(number)
    grown.elements.extend(mover.moved(top["/K"]))
    mover.write()


def _filled(grown: Growing, mover: Mover, page: Any, leaf: tuple[Any, Mover]) -> DictionaryObject:
    """The page of a section on a leaf, whose own content becomes a form."""
    own, own_mover = leaf
    resources = DictionaryObject(page["/Resources"])
    forms = DictionaryObject(resources.get("/XObject", DictionaryObject()).get_object())
    forms[NameObject("/Running")] = _running(grown.file, own, own_mover)
    resources[NameObject("/XObject")] = forms
    filled = {key: own_mover.moved(value) for key, value in own.items() if key not in _OF_SECTION}
    filled[NameObject("/Parent")] = reference(grown.tree)
    filled[NameObject("/Contents")] = ArrayObject([grown.running, mover.moved(page.raw_get("/Contents"))])
    filled[NameObject("/Resources")] = mover.moved(resources)
    filled[NameObject("/StructParents")] = NumberObject(grown.front_count + len(grown.pages))
    return DictionaryObject(filled)


def _running(file: PdfFile, leaf: Any, mover: Mover) -> Any:
    form = stream_of(with_artifacts(leaf["/Contents"].get_object().get_data(), owned=()))
    form[NameObject("/Type")] = NameObject("/XObject")
    form[NameObject("/Subtype")] = NameObject("/Form")
    form[NameObject("/BBox")] = leaf["/MediaBox"]
    form[NameObject("/Resources")] = mover.moved(leaf.raw_get("/Resources"))
    return file.add(form)
