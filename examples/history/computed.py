"""Digests and signatures of the copies: they are computed from the documents of the copy, not made up."""

import base64
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from examples.history.forms import ESCAPES, Form, Gaps, Values, document_form, parsed
from examples.history.levels import Level
from examples.history.reading import RecordedTable, Row
from governance.audit.queries.keys import signing_key
from weighbridge.core import attestation
from weighbridge.core.canonical import DIGEST_PREFIX, digest_of

STATEMENTS = "authorizations_authorization"


@dataclass(frozen=True)
class SourceDocument:
    """A document whose digest stands in a row, and the level of the row."""

    content: Any
    level: Level


class Documents:
    """Lets the digests of documents be computed. Create it before any row is compiled."""

    def __init__(self, gaps: Gaps, tables: dict[str, RecordedTable]) -> None:
        self._gaps = gaps
        self._known = dict(_documents(tables, gaps))
        self._done: set[str] = set()
        for hex_ in self._known:
            self._compute(hex_)

    def signed(self, row: Row) -> Form:
        """The cell with the envelope of an authorization, signed by the key of the installation."""
        place = self._gaps.free(f"statement {row['id']}")
        form = document_form(_statement(row), Level.BLOCK, self._gaps)
        key = signing_key()

        def sign(values: Values) -> str:
            envelope = attestation.sign(json.loads(form.filled(values)), private_key_pem=key)
            return json.dumps(envelope).translate(ESCAPES)

        place = self._gaps.computed(f"envelope {row['id']}", sign)
        return Form("%s", (place,))

    def _compute(self, hex_: str) -> None:
        """Documents that name other documents are computed after them."""
        if hex_ in self._done:
            return
        self._done.add(hex_)
        document = self._known[hex_]
        for found in self._gaps.vocabulary.find(json.dumps(document.content)):
            if found.kind == "digest" and found.text in self._known:
                self._compute(found.text)
        form = document_form(document.content, document.level, self._gaps)

        def digest(values: Values) -> str:
            return hashlib.sha256(form.filled(values).encode()).hexdigest()

        self._gaps.replace(("digest", hex_), self._gaps.computed(f"digest {hex_}", digest))


def _documents(tables: dict[str, RecordedTable], gaps: Gaps) -> Iterator[tuple[str, SourceDocument]]:
    for table in tables.values():
        contents = [column for column, kind in table.types.items() if kind == "jsonb"]
        digests = [column for column, kind in table.types.items() if "digest" in column and kind != "jsonb"]
        for row in table.rows.values() if digests else ():
            level = gaps.vocabulary.level_of(table.name, row)
            found = [parsed(row[column]) for column in contents if row[column]]
            if table.name == STATEMENTS:
                found.append(_statement(row))
            written = {str(row[column]).removeprefix(DIGEST_PREFIX) for column in digests}
            for content in found:
                hex_ = digest_of(content).removeprefix(DIGEST_PREFIX)
                if hex_ in written and level > Level.ONCE:
                    yield hex_, SourceDocument(content, level)


def _statement(row: Row) -> Any:
    return json.loads(base64.b64decode(parsed(row["envelope"])["payload"]))
