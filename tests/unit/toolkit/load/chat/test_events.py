"""Server-sent events, wherever the reads divide them."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weighbridge.core.errors import Invalid
from weighbridge.load.chat.events import LONGEST_LINE_BYTES, EventParser

STREAM = (
    "\ufeff: a comment\r\n"
    "event: message\ndata: première 😀\n\n"
    "id: 7\rdata:one\rdata: two\r\r"
    "retry: 3\r\n\r\n"
    "database: no data\n\n"
    "data: {\r\ndata:  }\r\n\r\n"
    "data: [DONE]"
).encode()
EVENTS = ["première 😀".encode(), b"one\ntwo", b"{\n }", b"[DONE]"]


def parsed(pieces):
    parser = EventParser()
    found = [data for piece in pieces for data in parser.feed(piece)]
    return found + parser.end()


def test_a_whole_stream_has_its_events():
    assert parsed([STREAM]) == EVENTS


@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_any_division_of_the_bytes_gives_the_same_events(cuts):
    places = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in itertools.pairwise(places)]
    assert parsed(pieces) == EVENTS


def test_single_bytes_give_the_same_events():
    assert parsed([bytes([byte]) for byte in STREAM]) == EVENTS


@given(texts=st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])), max_size=8))
def test_the_data_of_events_comes_back(texts):
    stream = "".join(f"data: {text}\n\n" for text in texts).encode()
    assert parsed([stream]) == [text.encode() for text in texts]


def test_an_event_is_complete_at_its_blank_line():
    parser = EventParser()
    assert parser.feed(b"data: a\n") == []
    assert parser.feed(b"\n") == [b"a"]
    assert parser.end() == []


def test_a_carriage_return_waits_for_what_follows():
    parser = EventParser()
    assert parser.feed(b"data: a\r") == []
    assert parser.feed(b"\n\r") == []
    assert parser.feed(b"\n") == [b"a"]


def test_a_line_may_not_grow_without_end():
    parser = EventParser()
    parser.feed(b"data: " + b"x" * (LONGEST_LINE_BYTES - 6))
    with pytest.raises(Invalid, match="longer than 1,000,000 bytes"):
        parser.feed(b"x")
    with pytest.raises(Invalid, match="longer than 1,000,000 bytes"):
        EventParser().feed(b"data: " + b"x" * LONGEST_LINE_BYTES + b"\n\n")
    short = b"data: xx\n\n" * 200_000
    assert len(EventParser().feed(short)) == 200_000
