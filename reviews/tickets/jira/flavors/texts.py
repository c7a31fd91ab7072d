"""What texts of tickets have in common in every document format: markers, summaries, and the greatest length."""

from collections.abc import Callable, Iterator

from reviews.tickets.ports import Block, Fields, Link, Paragraph

SUMMARY_CHARS_MAX = 255
BODY_CHARS_MAX = 30_000
"""Jira refuses texts above 32,767 characters; the difference leaves room for what Jira adds."""
_CUT = Paragraph("The text is shortened; the page that this ticket links to has the complete text.")


def marker_text(marker: str) -> str:
    """The marker as text; the brackets prevent matches inside another marker."""
    return f"[{marker}]"


def summary_line(text: str) -> str:
    """One line of at most 255 characters, as Jira demands of a summary."""
    line = " ".join(text.split())
    return line if len(line) <= SUMMARY_CHARS_MAX else line[: SUMMARY_CHARS_MAX - 1] + "…"


def fitting(blocks: tuple[Block, ...], *, length: Callable[[Block], int]) -> Iterator[Block]:
    """The blocks up to the greatest length, as `length` counts it, then a note. Tables without rows are left out."""
    left = BODY_CHARS_MAX
    for block in blocks:
        if isinstance(block, Fields) and not block.rows:
            continue
        left -= length(block)
        if left < 0:
            yield _CUT
            return
        yield block


def plain_length(block: Block) -> int:
    """The number of characters of the texts of a block."""
    match block:
        case Fields(rows):
            return sum(len(name) + len(value) for name, value in rows)
        case Link(text, url):
            return len(text) + len(url)
        case _:
            return len(block.text)
