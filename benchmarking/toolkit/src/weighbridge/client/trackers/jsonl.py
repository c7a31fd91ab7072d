"""JSON lines: one line per record, children after their parent, in an append-only file."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from weighbridge.client.trackers.records import TrackerRecord
from weighbridge.core.errors import Refused


class JsonLines:
    """Appends records to a file."""

    def __init__(self, path: Path) -> None:
        """Set the file; the first record creates it."""
        self.path = path

    def log(self, record: TrackerRecord) -> str:
        """Append the record and its children in one write, and wait until they are on disk."""
        text = "".join(json.dumps(line) + "\n" for line in lines_of(record))
        try:
            with self.path.open("a") as stream:
                stream.write(text)
                stream.flush()
                os.fsync(stream.fileno())
        except OSError as error:
            raise Refused(f"Cannot write {self.path}: {error.strerror}.", code="tracker_refused") from error
        return str(self.path)


def lines_of(record: TrackerRecord, parent: str | None = None) -> Iterator[dict[str, Any]]:
    """Yield the record as one mapping, then each child with the name of its parent."""
    yield {
        "name": record.name,
        "parent": parent,
        "settings": dict(record.settings),
        "metrics": dict(record.metrics),
        "labels": dict(record.labels),
        "document": dict(record.document) if parent is None else None,
    }
    for child in record.children:
        yield from lines_of(child, record.name)
