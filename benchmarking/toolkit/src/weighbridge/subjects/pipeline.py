"""The kind `pipeline`: subjects of other kinds in the order in which they work, each with its role.

The document is `{kind, parts: [{role, subject}]}`, with the document of each subject. The digest is the SHA-256 of the
canonical JSON of the list of `{role, kind, digest}`.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType

from weighbridge.core.canonical import digest_of
from weighbridge.core.documents import Reader, check_unique
from weighbridge.core.errors import Invalid
from weighbridge.subjects.container import CONTAINER
from weighbridge.subjects.file import FILE
from weighbridge.subjects.managed import MANAGED
from weighbridge.subjects.manifest import MANIFEST
from weighbridge.subjects.subject import Kind, Subject, Way

MOST_PARTS = 20
PARTS: Mapping[str, Kind] = MappingProxyType({kind.kind: kind for kind in (FILE, MANIFEST, CONTAINER, MANAGED)})
"""The kinds that a pipeline consists of; pipelines are not nested."""
_ROLE = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def parse(document: object) -> Subject:
    """Return the subject of a document; raise Invalid for anything else, with the place of the part."""
    reader = Reader(document)
    reader.constant("kind", PIPELINE.kind)
    parts = reader.items("parts", _part)
    if not 1 <= len(parts) <= MOST_PARTS:
        raise reader.fault("parts", f"must be a list of 1 to {MOST_PARTS} parts.")
    reader.close()
    roles = tuple(role for role, _ in parts)
    check_unique(roles, path="parts", name="role")
    digest = digest_of([{"role": role, "kind": part.kind, "digest": part.digest} for role, part in parts])
    canonical = [{"role": role, "subject": part.document} for role, part in parts]
    return Subject(PIPELINE.kind, digest, {"kind": PIPELINE.kind, "parts": canonical}, ", ".join(roles))


def _part(reader: Reader) -> tuple[str, Subject]:
    role, inner = reader.text("role"), reader.mapping("subject")
    if not _ROLE.fullmatch(role):
        raise reader.fault("role", "must be a short name of lower-case letters, digits, hyphens and underscores.")
    kind = inner.text("kind")
    if kind not in PARTS:
        raise inner.fault("kind", f"must be one of {', '.join(PARTS)}; pipelines are not nested.")
    try:
        return role, PARTS[kind].parse(reader.plain("subject"))
    except Invalid as error:
        text = f"{inner.path}: {error.reason}"
        raise Invalid(text, code=error.code, field=inner.at(error.field or "")) from error


def _subjects(subject: Subject) -> Sequence[tuple[Kind, Subject]]:
    documents = [part["subject"] for part in subject.document["parts"]]
    return [(PARTS[each["kind"]], PARTS[each["kind"]].parse(each)) for each in documents]


def _describe(subject: Subject) -> str:
    titles = [
        f"{part['role']}: {each.title}"
        for part, (_, each) in zip(subject.document["parts"], _subjects(subject), strict=True)
    ]
    return " → ".join(titles)


def _measured_by(subject: Subject) -> tuple[Way, ...]:
    """A worker runs a pipeline only if it can run every part."""
    can_run = all(Way.WORKER in kind.measured_by(part) for kind, part in _subjects(subject))
    return (Way.WORKER, Way.ENDPOINT, Way.ATTESTED) if can_run else (Way.ENDPOINT, Way.ATTESTED)


def _ends_on(subject: Subject) -> date | None:
    """A pipeline ends with the first of its parts."""
    days = [day for kind, part in _subjects(subject) if (day := kind.ends_on(part)) is not None]
    return min(days, default=None)


PIPELINE = Kind("pipeline", "Pipeline", parse, _describe, _measured_by, _ends_on)
