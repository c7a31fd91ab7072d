"""How the API reads the body of a call: strict JSON, within limits."""

from typing import IO, Any

from rest_framework.parsers import JSONParser

from weighbridge.core.parsing.json_text import Json, parse_json
from weighbridge.core.parsing.limits import DocumentLimits

BODY = DocumentLimits(bytes_max=2_500_000, values_max=200_000)


class StrictJSONParser(JSONParser):
    """One JSON value in UTF-8, whatever charset the client names."""

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Json:
        """The value; raises Invalid or TooLarge, which are answered like any other refusal."""
        return parse_json(stream.read(BODY.bytes_max + 1), name="The body", code="parse_error", limits=BODY)
