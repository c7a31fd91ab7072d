"""The discussion of a packet: what is printed of a long one, and documents from before there was one."""

from dataclasses import replace

from reviews.packets.domain.packet import read_packet
from tests.factories.packet_discussions import sample_discussion
from tests.factories.packets import sample_packet
from weighbridge.core.converter import to_document


def test_the_latest_hundred_threads_are_printed() -> None:
    part = sample_discussion()
    long = replace(part, threads=part.threads[:1] * 3 + part.threads[1:2] * 99)
    assert (len(long.shown), long.left_out, part.left_out) == (100, 2, 0)
    assert long.shown == long.threads[2:]


def test_an_older_document_has_no_discussion() -> None:
    document = to_document(sample_packet())
    assert read_packet(document) == sample_packet()
    del document["discussion"]
    assert read_packet(document).discussion is None
