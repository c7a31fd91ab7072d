"""Read a packet from its JSON document."""

from collections.abc import Mapping
from typing import Any

from reviews.packets.domain.packet import SCHEMA, PacketDocument
from weighbridge.core.converter import from_document
from weighbridge.core.errors import Invalid

ADVICE = "Create a new packet."


def read_packet(document: Mapping[str, Any]) -> PacketDocument:
    """The packet of a JSON document. Raises Invalid for another schema or a document that is not a packet."""
    check_schema(document, SCHEMA)
    return from_document(PacketDocument, document, name="packet", advice=ADVICE)


def check_schema(document: Mapping[str, Any], schema: str) -> None:
    if document.get("schema") != schema:
        raise Invalid(f"This is not a packet with schema {schema}. {ADVICE}", field="schema")
