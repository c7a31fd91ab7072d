"""The packet of a quarter, read back from its JSON."""

from collections.abc import Mapping
from typing import Any

from reviews.packets.domain.packet_document import ADVICE, check_schema
from reviews.quarterly.domain import packet as quarterly
from weighbridge.core.converter import from_document


def read_quarterly_packet(document: Mapping[str, Any]) -> quarterly.QuarterlyPacket:
    """The packet of a quarter that a document was made from; Invalid as with `read_packet`."""
    check_schema(document, quarterly.SCHEMA)
    return from_document(quarterly.QuarterlyPacket, document, name="packet", advice=ADVICE)
