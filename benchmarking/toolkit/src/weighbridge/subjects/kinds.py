"""The registry of the kinds of subject."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from weighbridge.core.canonical import plain
from weighbridge.core.documents import Reader
from weighbridge.subjects.deployment.kind import DEPLOYMENT, served_parts
from weighbridge.subjects.pipeline import PARTS, PIPELINE
from weighbridge.subjects.subject import Kind, Subject

SUBJECT_KINDS: Mapping[str, Kind] = MappingProxyType({**PARTS, PIPELINE.kind: PIPELINE, DEPLOYMENT.kind: DEPLOYMENT})


def parse_subject(document: object) -> Subject:
    """Return the subject of a document, by its key `kind`; raise Invalid for an unknown kind or an invalid document."""
    reader = Reader(document)
    kind = reader.text("kind")
    if kind not in SUBJECT_KINDS:
        raise reader.fault("kind", f"must be one of {', '.join(SUBJECT_KINDS)}.")
    return SUBJECT_KINDS[kind].parse(document)


def document_of(subject: Subject) -> dict[str, Any]:
    """Return the document of a subject as JSON types; `parse_subject` of it returns an equal subject."""
    return {key: plain(value) for key, value in subject.document.items()}


def parts_of(subject: Subject) -> tuple[Subject, ...]:
    """Return the subjects that a subject consists of: the parts of a pipeline, the model and image of a deployment."""
    if subject.kind == DEPLOYMENT.kind:
        return served_parts(subject)
    return tuple(parse_subject(part["subject"]) for part in subject.document.get("parts", ()))
