"""A subject of a review, whatever its kind, and what every kind answers about its subjects."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from weighbridge.core.canonical import DIGEST_PREFIX, is_digest
from weighbridge.core.documents import Reader, is_storable

LONGEST_NAME = 200
_NAME = re.compile(rf"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]{{0,{LONGEST_NAME - 1}}})")


class Way(StrEnum):
    """Who can measure a subject."""

    HERE = "here"
    """This program, which has the bytes."""
    WORKER = "worker"
    """A worker of the organization that runs the software of the subject."""
    ENDPOINT = "endpoint"
    """This program, over the network, while somebody else runs the subject."""
    ATTESTED = "attested"
    """Somebody else, whose signed results are filed."""


@dataclass(frozen=True)
class Subject:
    """A subject as it is stored: `digest` is `sha256:<64 hex>`, `document` its canonical form, `title` for people."""

    kind: str
    digest: str
    document: Mapping[str, Any]
    title: str


def never_ends(_subject: Subject) -> date | None:
    """Return None: the subject is available for as long as its bytes are kept."""
    return None


@dataclass(frozen=True)
class Kind:
    """A kind of subject.

    `parse` returns the subject of a document and raises Invalid that names the invalid key. `describe` returns one
    line, `measured_by` the ways to measure the subject, the most direct first, and `ends_on` the day from which nobody
    can use it, None if no such day is known.
    """

    kind: str
    label: str
    parse: Callable[[object], Subject]
    describe: Callable[[Subject], str]
    measured_by: Callable[[Subject], tuple[Way, ...]]
    ends_on: Callable[[Subject], date | None] = never_ends


def digest_in(reader: Reader, key: str) -> str:
    """Return a digest `sha256:<64 hex>`, which may be written without its prefix; raise Invalid for another text."""
    text = reader.text(key)
    digest = text if text.startswith(DIGEST_PREFIX) else f"{DIGEST_PREFIX}{text}"
    if not is_digest(digest):
        raise reader.fault(key, "must be a SHA-256 digest: 64 lower-case hexadecimal digits, with or without sha256:.")
    return digest


def hexadecimal(digest: str) -> str:
    """Return the 64 digits of a digest, which is how a key named `sha256` has it."""
    return digest.removeprefix(DIGEST_PREFIX)


def name_in(reader: Reader, key: str, default: str | None = None) -> str:
    """Return a name of one line, at most 200 characters; raise Invalid for another text."""
    text = reader.text(key, default)
    if text != default and not _NAME.fullmatch(text):
        raise reader.fault(key, f"must be text of one line, at most {LONGEST_NAME} characters.")
    return text


def usable_name(text: str) -> str:
    """Return a name of a folder or a file if a document can have it, else nothing."""
    return text if text == text.strip() and is_storable(text) and _NAME.fullmatch(text) else ""


def short(digest: str) -> str:
    """Return the first twelve digits of a digest, for people."""
    return hexadecimal(digest)[:12]
