"""A packet as JSON and back, and the digest that is printed on it."""

from collections.abc import Mapping
from typing import Any

from reviews.packets.domain.packet import SCHEMA, PacketDocument
from weighbridge.core.converter import from_document
from weighbridge.core.errors import Invalid

ADVICE = "Make the packet again."


def read_packet(document: Mapping[str, Any]) -> PacketDocument:
    """The packet a document was made from. Raises Invalid for another schema or a document that is not a packet."""
    check_schema(document, SCHEMA)
    return from_document(PacketDocument, document, name="packet", advice=ADVICE)


def check_schema(document: Mapping[str, Any], schema: str) -> None:
    if document.get("schema") != schema:
        raise Invalid(f"This is not a packet of the schema {schema}. {ADVICE}", field="schema")
