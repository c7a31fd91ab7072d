"""Sections printed in children that stay: handed on as they come, renewed, killed when late, refused in words."""

import io
from collections.abc import Iterator

import pytest
from pypdf import PdfReader

from reviews.packets.ports import PrintFailed
from reviews.packets.printing import pdf_sections
from reviews.packets.printing.pdf_sections import PrintSection, SectionPrinter

pytestmark = pytest.mark.slow

LINK = '<link rel="stylesheet" href="asset:own.css">'


def sheet(number: int, words: str = "", head: str = LINK) -> PrintSection:
    return PrintSection(
        f"s{number}", f"<html lang=en><head><title>t</title>{head}</head><p>Section {number} {words}</p></html>", {}
    )


def printed(printer: SectionPrinter, sheets: Iterator[PrintSection] | list[PrintSection]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    printer.print(sheets, shared={"own.css": b"p { color: black }"}, on_printed=found.__setitem__)
    return found


def test_every_section_is_printed_once_whichever_process_prints_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_sections, "RENEW_AFTER", 2)
    taken = printed(SectionPrinter(processes=2), (sheet(number) for number in range(5)))
    assert sorted(taken) == ["s0", "s1", "s2", "s3", "s4"]
    texts = [PdfReader(io.BytesIO(taken[f"s{number}"])).pages[0].extract_text().strip() for number in range(5)]
    assert texts == [f"Section {number}" for number in range(5)]
    again = printed(SectionPrinter(processes=1), [sheet(3)])
    assert again["s3"] == taken["s3"]


def test_nothing_but_what_was_handed_over_is_fetched() -> None:
    far = '<img src="http://127.0.0.1:9/a.png">'
    with pytest.raises(PrintFailed, match=r"The section s1: The packet refers to http://127\.0\.0\.1:9/a\.png"):
        printed(SectionPrinter(processes=1), [sheet(0), sheet(1, far), sheet(2)])


def test_a_section_that_takes_too_long_is_stopped() -> None:
    with pytest.raises(PrintFailed, match=r"The section s0 took longer than 0.01 s\. Shorten its longest texts"):
        printed(SectionPrinter(processes=1, section_max_s=0.01), [sheet(0)])


def test_a_child_without_memory_ends_in_words() -> None:
    with pytest.raises(PrintFailed, match=r"The section s0 ended its printer, most likely because of its memory\."):
        printed(SectionPrinter(processes=1, memory_max_bytes=40 * 1024**2), [sheet(0)])


def test_a_fault_in_making_a_sheet_is_told() -> None:
    def broken() -> Iterator[PrintSection]:
        yield sheet(0)
        raise ValueError("no such template")

    with pytest.raises(PrintFailed, match="The printer of sections failed: ValueError: no such template"):
        printed(SectionPrinter(processes=1), broken())


def test_a_caller_that_gives_up_leaves_no_process_behind() -> None:
    def give_up(key: str, pdf: bytes) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        SectionPrinter(processes=2).print(
            (sheet(number) for number in range(50)), shared={"own.css": b""}, on_printed=give_up
        )


def test_few_sheets_are_printed_by_one() -> None:
    assert [pdf_sections.processes_for(count) for count in (0, 1, 8, 9, 200)] == [1, 1, 1, 2, 2]
