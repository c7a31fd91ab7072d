import pytest
from hypothesis import given
from hypothesis import strategies as st

from reviews.tickets.jira.flavors.adf import document, marked_document, prose
from reviews.tickets.jira.flavors.texts import BODY_CHARS_MAX, marker_text, summary_line
from reviews.tickets.ports import Block, Fields, Heading, Link, Paragraph
from tests.standins.jira import adf

TEXT = st.text(max_size=40)
BLOCKS = st.lists(
    st.one_of(
        st.builds(Heading, TEXT),
        st.builds(Paragraph, TEXT),
        st.builds(Fields, st.lists(st.tuples(TEXT, TEXT), max_size=3).map(tuple)),
        st.builds(Link, TEXT, st.one_of(TEXT, st.just("https://example.org/x"))),
    ),
    max_size=5,
).map(tuple)


def test_each_block_has_its_node() -> None:
    blocks = (Heading("Costs"), Paragraph("one\ntwo"), Fields((("p95", "3 ms"),)), Link("open", "https://example.org/"))
    heading, paragraph, table, link = document(blocks)["content"]
    assert heading == {"type": "heading", "attrs": {"level": 3}, "content": [{"type": "text", "text": "Costs"}]}
    assert paragraph["content"] == [
        {"type": "text", "text": "one"},
        {"type": "hardBreak"},
        {"type": "text", "text": "two"},
    ]
    assert [cell["type"] for cell in table["content"][0]["content"]] == ["tableHeader", "tableCell"]
    assert prose(table) == "p95\n3 ms\n"
    assert link["content"][0]["marks"] == [{"type": "link", "attrs": {"href": "https://example.org/"}}]


@given(BLOCKS)
def test_whatever_the_blocks_it_is_adf(blocks: tuple[Block, ...]) -> None:
    assert adf.fault_in(document(blocks)) == ""


@given(BLOCKS, st.from_regex(r"[a-z0-9:-]{1,40}", fullmatch=True))
def test_a_marked_document_is_adf_and_names_its_marker(blocks: tuple[Block, ...], marker: str) -> None:
    marked = marked_document(blocks, marker=marker)
    assert adf.fault_in(marked) == ""
    assert prose(marked).endswith(f"{marker_text(marker)}\n")


def test_one_marker_is_not_found_in_a_longer_one() -> None:
    assert marker_text("event-1") not in prose(marked_document((), marker="event-12"))


@pytest.mark.parametrize("url", ["javascript:alert(1)", "file:///etc/passwd", "", "//example.org"])
def test_what_is_no_web_address_is_never_a_link(url: str) -> None:
    (paragraph,) = document((Link("open", url),))["content"]
    assert paragraph["content"] == [{"type": "text", "text": f"open {url}".strip()}]


def test_a_link_without_words_shows_its_address() -> None:
    assert prose(document((Link("", "https://example.org/"),))) == "https://example.org/\n"
    assert prose(document((Link("", ""),))) == "-\n"


def test_a_table_without_rows_is_left_out() -> None:
    assert document((Fields(()), Paragraph("after")))["content"] == document((Paragraph("after"),))["content"]


def test_a_body_jira_would_refuse_is_cut_and_says_so() -> None:
    fits = Paragraph("x" * BODY_CHARS_MAX)
    assert len(document((fits,))["content"]) == 1
    kept, note = document((fits, Heading("y"), Paragraph("never")))["content"]
    assert prose(kept) == f"{fits.text}\n"
    assert "The text is shortened" in prose(note)


def test_rows_and_links_count_towards_the_length() -> None:
    long = "x" * (BODY_CHARS_MAX // 2 + 1)
    assert "The text is shortened" in prose(document((Fields(((long, long),)),)))
    assert "The text is shortened" in prose(document((Link(long, f"https://{long}"),)))


@pytest.mark.parametrize("strange", [None, 3, "text", {"type": "x", "text": 3}, {"content": {"content": None}}])
def test_the_prose_of_anything_is_a_text(strange: object) -> None:
    assert prose(strange) == ""


def test_a_summary_is_one_line_of_at_most_255_characters() -> None:
    assert summary_line(" two\n lines\t") == "two lines"
    assert summary_line("x" * 255) == "x" * 255
    assert summary_line("x" * 256) == "x" * 254 + "…"
