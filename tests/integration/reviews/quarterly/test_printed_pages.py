"""The printed quarterly packet: pages counted through, links that lead there, tags, and no page nearly empty."""

from dataclasses import replace
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from pypdf import PdfReader

from reviews.packets.printing.pdf_sections import SectionPrinter
from reviews.quarterly.domain.packet import QuarterlyPacket
from reviews.quarterly.domain.printed.sections import sections_of
from reviews.quarterly.queries import quarterly_page as pages
from reviews.quarterly.tasks import framed, sheets_of
from tests.factories.quarterly import make_packet
from tests.unit.reviews.packets.tagged import check_filled, check_heads, check_tags

pytestmark = pytest.mark.slow

DIGEST = "sha256:" + "a" * 64
NOTHING = dict.fromkeys(("spend", "points", "variances", "scores", "agenda", "followed", "changes", "rejected"), ())


@cache
def printed(models: int, *, is_bare: bool = False) -> bytes:
    return print_packet(make_packet(models, **NOTHING if is_bare else {}))


def print_packet(packet: QuarterlyPacket, *, told: list[tuple[int, int]] | None = None) -> bytes:
    sections, told = sections_of(packet, sheet=pages.sheet_digest()), [] if told is None else told
    with TemporaryDirectory() as name:
        folder = Path(name)
        SectionPrinter(processes=1).print(
            sheets_of(sections),
            shared=pages.shared_assets(),
            on_printed=lambda digest, pdf: (folder / digest).write_bytes(pdf),
        )
        drawn = [(each, folder / each.digest) for each in sections]
        file, _ = framed(packet, digest=DIGEST, drawn=drawn, folder=folder, tell=lambda *pages: told.append(pages))
        return file.read_bytes()


@pytest.mark.parametrize("models", [1, 3, 8])
def test_no_page_is_nearly_empty(models: int) -> None:
    check_filled(PdfReader(BytesIO(printed(models))))


@pytest.mark.parametrize("rows", [1, 9, 17])
def test_no_title_ends_a_page(rows: int) -> None:
    whole = make_packet(4)
    packet = replace(whole, agenda=tuple(replace(whole.agenda[0], position=number + 1) for number in range(rows)))
    check_heads(PdfReader(BytesIO(print_packet(packet))))


def test_a_quarter_without_anything_is_one_page_and_the_method() -> None:
    reader = check_tags(printed(0, is_bare=True))
    assert len(reader.pages) == 2
    assert "The quarter 2026Q4" in reader.pages[0].extract_text()


def test_pages_are_counted_through_and_named_at_their_top() -> None:
    reader = check_tags(printed(8))
    texts = [" ".join(page.extract_text().split()) for page in reader.pages]
    assert all(f"Page {number} of {len(texts)}" in text for number, text in enumerate(texts, start=1))
    assert all(DIGEST in text for text in texts[1:])
    (first,) = [text for text in texts if "Model 1 team-2/model-1" in text]
    assert "2026Q4 · Model 1 " in first


def test_the_pages_that_are_ready_are_told() -> None:
    told: list[tuple[int, int]] = []
    print_packet(make_packet(3), told=told)
    ready, of = [pages for pages, _ in told], {pages for _, pages in told}
    assert (ready[0], ready, of) == (2, sorted(set(ready)), {ready[-1]})


def test_contents_and_outline_lead_to_the_pages_they_name() -> None:
    reader = PdfReader(BytesIO(printed(8)))
    found: list[Any] = [each for each in reader.outline if not isinstance(each, list)]
    outline = {each.title: reader.get_destination_page_number(each) + 1 for each in found}
    contents = "\n".join(page.extract_text() for page in reader.pages[:2])
    for title in ("Agenda", "Scorecard", "Model 1", "Model 8", "Method and sources"):
        page = outline[title]
        assert title in " ".join(reader.pages[page - 1].extract_text().split())
        line = next(line for line in contents.splitlines() if title in line and ". ." in line)
        assert int(line.rsplit(". ", 1)[-1].strip(" .")) == page
    links = [link.get_object() for page in reader.pages for link in page.get("/Annots", ())]
    anchors = {name: reader.get_destination_page_number(place) for name, place in reader.named_destinations.items()}
    assert [link["/Contents"] for link in links] == [f"Page {anchors[str(link['/Dest'])] + 1}" for link in links]
    assert len({link["/Dest"] for link in links}) == len(links) == len(outline) - 1


def test_the_same_packet_prints_the_same_bytes_and_text_stays_text() -> None:
    hostile = '<img src="http://127.0.0.1:1/x">"\'&'
    packet = make_packet(1)
    packet = replace(
        packet,
        models=(replace(packet.models[0], name=hostile),),
        agenda=(replace(packet.agenda[0], title=hostile, reason=hostile),),
    )
    first = print_packet(packet)
    assert first == print_packet(packet)
    assert hostile in " ".join(PdfReader(BytesIO(first)).pages[0].extract_text().split())
    assert datetime.fromisoformat("2027-01-11T00:00:00+00:00") == PdfReader(BytesIO(first)).metadata.creation_date
