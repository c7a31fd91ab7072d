"""Files that name a lineage: bills of materials in CycloneDX, and model cards in Markdown."""

from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.core.parsing.limits import MEASUREMENT, check_size
from weighbridge.subjects.documents.bom import lineage_of_bom
from weighbridge.subjects.documents.model_card import FENCE, lineage_of_card
from weighbridge.subjects.lineage import Ancestor


def read_lineage(content: bytes, *, name: str) -> tuple[Ancestor, ...]:
    """Return the ancestors that a file names, a card if it begins with metadata, else a bill; or raise Invalid."""
    check_size(len(content), name=name, limits=MEASUREMENT, field="lineage")
    begin = content[:8].removeprefix(b"\xef\xbb\xbf").replace(b"\r", b"")
    if not begin.startswith(FENCE.encode()):
        return lineage_of_bom(parse_json(content, name=name, field="lineage", limits=MEASUREMENT))
    try:
        return lineage_of_card(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Invalid(f"{name} is not text in UTF-8.", field="lineage") from error
