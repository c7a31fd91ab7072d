"""Read a quarterly packet from its JSON document."""

from collections.abc import Mapping
from typing import Any

from reviews.packets.domain.packet_document import ADVICE, check_schema
from reviews.quarterly.domain import packet as quarterly
from weighbridge.core.converter import from_document


def read_quarterly_packet(document: Mapping[str, Any]) -> quarterly.QuarterlyPacket:
    """The packet of a JSON document. Raises Invalid like `read_packet`."""
    check_schema(document, quarterly.SCHEMA)
    return from_document(quarterly.QuarterlyPacket, document, name="packet", advice=ADVICE)
