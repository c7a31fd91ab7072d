"""The only reader of YAML from outside.

The safe loader of PyYAML still repeats a referenced part any number of times, takes the last of two equal keys, follows
a document into itself and raises whatever a date or a tag of unusual form causes. The events of the parser are checked
for this first; nothing is built before.
"""

import dataclasses
import math
import re
from pathlib import Path
from typing import Any

import yaml

from weighbridge.core.documents import UNSTORABLE, is_storable
from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.json_text import read_bytes
from weighbridge.core.parsing.limits import DIGITS_MAX, DOCUMENT, DocumentLimits, check_size

_LONG_NUMBER = re.compile(rf"[-+]?(0[bx])?[0-9a-fA-F_]{{{DIGITS_MAX + 1},}}(\.[0-9_]*)?([eE][-+]?[0-9]+)?")
_NUMBER = re.compile(r"[-+]?[0-9]")


class StrictLoader(yaml.CSafeLoader):
    """The safe loader without infinity and NaN."""


def parse_yaml(
    text: str,
    *,
    name: str = "The document",
    field: str | None = None,
    code: str | None = None,
    limits: DocumentLimits = DOCUMENT,
    loader: type[StrictLoader] = StrictLoader,
    has_references: bool = True,
) -> Any:
    """Return the document; raise Invalid for anything but one YAML document, TooLarge above `limits.bytes_max`.

    References (`*name`), if allowed, count as often as they are used: the document must stay within the limits with all
    of them written out.
    """
    check_size(len(text), name=name, limits=limits, field=field)
    try:
        _check_events(text, _Scan(limits, has_references=has_references))
        return yaml.load(text, Loader=loader)  # noqa: S506 -- a subclass of the safe loader
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # a date such as 2026-13-01 is a ValueError
        raise Invalid(f"{name} is not valid YAML: {' '.join(str(error).split())}.", code=code, field=field) from error


def read_yaml(
    path: Path,
    *,
    field: str | None = "file",
    missing: str | None = None,
    code: str | None = None,
    limits: DocumentLimits = DOCUMENT,
) -> Any:
    """Return the document in a file; raise Invalid if there is none, with the code `missing` if it is unreadable."""
    content = read_bytes(path, limits=limits, field=field, code=missing)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"{path.name} is not text in UTF-8.", code=code, field=field) from error
    return parse_yaml(text, name=path.name, field=field, code=code, limits=limits)


@dataclasses.dataclass(slots=True)
class _Part:
    """A list or mapping that the events have opened; `keys` is None in a list. Sizes include references."""

    anchor: str | None
    keys: set[str] | None
    is_at_key: bool = True
    values: int = 1
    depth: int = 1


class _Scan:
    """Follows the events of one document."""

    def __init__(self, limits: DocumentLimits, *, has_references: bool) -> None:
        self._limits, self._has_references = limits, has_references
        self._open: list[_Part] = []
        self._anchors: dict[str, tuple[int, int]] = {}

    def take(self, event: yaml.Event) -> None:
        """Check one event; raise ValueError."""
        if getattr(event, "tag", None) is not None:
            raise _fault("it uses a tag; leave it out", event)
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, yaml.AliasEvent):
            self._reference(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._start(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            closed = self._open.pop()
            self._remember(closed.anchor, closed.values, closed.depth)
            self._add(closed.values, closed.depth, event)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        if not is_storable(event.value):
            raise _fault(f"a text {UNSTORABLE.rstrip('.')}", event)
        if event.implicit[0] and _NUMBER.match(event.value) and _LONG_NUMBER.fullmatch(event.value):
            raise _fault(f"a number has more than {DIGITS_MAX} digits", event)
        parent = self._open[-1] if self._open else None
        if parent is not None and parent.keys is not None and parent.is_at_key:
            if event.value in parent.keys:
                raise _fault(f"the key {event.value[:80]!r} occurs twice", event)
            parent.keys.add(event.value)
        self._remember(event.anchor, 1, 0)
        self._add(1, 0, event)

    def _reference(self, event: yaml.AliasEvent) -> None:
        if not self._has_references:
            raise _fault("it uses references (*name); write every value out", event)
        if event.anchor not in self._anchors:
            raise _fault(f"*{event.anchor} refers to a part that is not complete", event)
        self._check_no_key(event)
        self._add(*self._anchors[event.anchor], event)

    def _start(self, event: yaml.CollectionStartEvent) -> None:
        self._check_no_key(event)
        if len(self._open) >= self._limits.depth_max:
            raise _fault(f"it is nested deeper than {self._limits.depth_max} levels", event)
        keys = set[str]() if isinstance(event, yaml.MappingStartEvent) else None
        self._open.append(_Part(event.anchor, keys))

    def _check_no_key(self, event: yaml.Event) -> None:
        if self._open and self._open[-1].keys is not None and self._open[-1].is_at_key:
            raise _fault("a key must be text", event)

    def _remember(self, anchor: str | None, values: int, depth: int) -> None:
        if anchor is not None:
            self._anchors[anchor] = (values, depth)

    def _add(self, values: int, depth: int, event: yaml.Event) -> None:
        """Count a complete part in the one around it."""
        if not self._open:
            return
        around = self._open[-1]
        around.is_at_key = not around.is_at_key
        around.values += values
        around.depth = max(around.depth, depth + 1)
        if around.values > self._limits.values_max:
            raise _fault(f"it has more than {self._limits.values_max:,} values", event)
        if around.depth > self._limits.depth_max:
            raise _fault(f"it is nested deeper than {self._limits.depth_max} levels", event)


def _check_events(text: str, scan: _Scan) -> None:
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        scan.take(event)


def _fault(reason: str, event: yaml.Event) -> ValueError:
    line = event.start_mark.line + 1 if event.start_mark else 1
    return ValueError(f"{reason} (line {line})")


def _finite(loader: Any, node: Any) -> float:
    number = float(loader.construct_yaml_float(node))
    if not math.isfinite(number):
        raise yaml.constructor.ConstructorError(None, None, f"{node.value} is not a finite number", node.start_mark)
    return number


StrictLoader.add_constructor("tag:yaml.org,2002:float", _finite)
