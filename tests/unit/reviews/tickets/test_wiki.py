"""Wiki markup: no text of a request is read as markup, and what was written is read again."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.tickets.jira.flavors.texts import BODY_CHARS_MAX, marker_text
from reviews.tickets.jira.flavors.wiki import document, escaped, marked_document, prose
from reviews.tickets.ports import Fields, Heading, Link, Paragraph

TEXT = st.text(alphabet=st.characters(blacklist_categories=["Cs", "Cc"]), max_size=60)


def test_each_block_has_its_markup() -> None:
    blocks = (Heading("Costs"), Paragraph("one\ntwo"), Fields((("p95", "3 ms"),)), Link("open", "https://example.org/"))
    assert document(blocks) == "h3. Costs\n\none\ntwo\n\n||p95|3 ms|\n\n[open|https://example.org/]"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("latency_p95_ms on 2026-10-05", "latency_p95_ms on 2026-10-05"),
        ("*bold* _soft_ -gone- +new+", r"\*bold\* \_soft\_ \-gone\- \+new\+"),
        ("{code}x{code} [~admin] !pixel.png! a|b", r"\{code\}x\{code\} \[\~admin\] \!pixel.png\! a\|b"),
        ("h1. Title", "&#104;1. Title"),
        ("bq. Said", "&#98;q. Said"),
        ("# one", r"\# one"),
        ("C:\\temp", "C:&#92;temp"),
        ("&#91;x&#93; R&D", r"&amp;\#91;x&amp;\#93; R&D"),
        ("2*3", "2*3"),
        ("met (/) not (x) (*r) (i)", "met &#40;/) not &#40;x) &#40;\\*r) &#40;i)"),
        (
            "(on) (flagoff) (OFF) ;) :D :P :-( </3",
            "&#40;on) &#40;flagoff) &#40;OFF) &#59;) &#58;D &#58;P &#58;\\-( &#60;/3",
        ),
        ("f(xy) and f(12) at 10:30", "f(xy) and f(12) at 10:30"),
    ],
)
def test_what_could_be_markup_is_escaped(text: str, written: str) -> None:
    assert escaped(text) == written
    assert prose(written) == text


@given(TEXT)
def test_every_text_comes_back(text: str) -> None:
    assert prose(escaped(text)) == text


@given(TEXT)
def test_no_text_has_macros_links_or_table_cells(text: str) -> None:
    bare = re.sub(r"\\.", "", escaped(text))
    assert not set("{}[]|!") & set(bare)
    assert "\\" not in bare


@given(TEXT, TEXT)
def test_a_row_has_two_cells_whatever_their_texts(name: str, value: str) -> None:
    (line,) = document((Fields(((name, value),)),)).splitlines() or [""]
    bare = re.sub(r"\\[^\\ ]", "", line)
    assert bare.count("|") == 4
    assert "\n" not in line


def test_cells_break_their_lines_and_are_never_empty() -> None:
    assert document((Fields((("a", "one\ntwo"), ("b", ""))),)) == "||a|one \\\\ two|\n||b| |"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "", "//example.org"])
def test_what_is_no_web_address_is_never_a_link(url: str) -> None:
    assert "[" not in document((Link("open", url),))


def test_an_address_cannot_leave_its_link() -> None:
    assert document((Link("x", "https://example.org/a|b]c d"),)) == "[x|https://example.org/a%7Cb%5Dc%20d]"
    assert document((Link("", "https://example.org/"),)) == "[https://example.org/]"
    assert document((Link("", ""),)) == "\\-"


@given(st.from_regex(r"[a-z0-9:._-]{1,40}", fullmatch=True))
def test_the_marker_is_found_again(marker: str) -> None:
    written = marked_document((Paragraph("x"),), marker=marker)
    assert marker_text(marker) in prose(written)
    assert marker_text(marker) in prose(marked_document((), marker=marker))


def test_one_marker_is_not_found_in_a_longer_one() -> None:
    assert marker_text("event-1") not in prose(marked_document((), marker="event-12"))


def test_the_length_counts_what_is_written() -> None:
    fits = Paragraph("x" * BODY_CHARS_MAX)
    assert document((fits,)) == fits.text
    assert "The text is shortened" in document((Paragraph("[" * (BODY_CHARS_MAX // 2 + 1)),))
    assert document((Fields(()), Paragraph("after"))) == "after"


@pytest.mark.parametrize("strange", [None, 3, {"type": "doc"}, []])
def test_the_prose_of_anything_is_a_text(strange: object) -> None:
    assert prose(strange) == ""


def test_entities_of_people_are_read() -> None:
    assert prose("a &lt; b\r\n" + html.escape("c & d")) == "a < b\nc & d"
