"""Where pages of a packet break: a list of one item is not kept with what follows it."""

from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from reviews.packets.printing.pdf import render

pytestmark = pytest.mark.slow

STYLE = Path(__file__).resolve().parents[4] / "templates/reviews/packets/packet.css"
HEAD = '<html lang="en"><head><title>T</title><link rel="stylesheet" href="asset:packet.css"></head><body>'


def block(height_mm: int, words: str) -> str:
    return f'<div style="break-inside: avoid; height: {height_mm}mm">{words}</div>'


def pages_of(body: str) -> list[str]:
    pdf = render(f"{HEAD}{body}</body></html>", assets={"packet.css": STYLE.read_bytes()})
    return [page.extract_text() for page in PdfReader(BytesIO(pdf)).pages]


def topic(title: str, *sentences: str) -> str:
    items = "".join(f"<li>{sentence}</li>" for sentence in sentences)
    return f'<div class="topic"><h2 class="topic-title">{title}</h2><ul>{items}</ul></div>'


@pytest.mark.parametrize("sentences", [["Only one."], ["First.", "Second."], ["First.", "Second.", "Third."]])
def test_the_last_topic_stays_on_its_page_when_the_next_part_needs_a_page(sentences: list[str]) -> None:
    before, after = block(130, "Before it."), block(150, "Contents")
    first, second = pages_of(before + topic("Costs", "It costs 1 USD.") + topic("Decision", *sentences) + after)
    assert all(sentence in first for sentence in sentences)
    assert "Contents" in second
