"""The columns of a version that is described and not uploaded: a file elsewhere, or a subject of another kind."""

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from governance.inventory.domain.locations import check_location
from weighbridge.core.errors import Invalid
from weighbridge.core.model_files.formats import SUFFIXES
from weighbridge.subjects.deployment.kind import DEPLOYMENT, model_digest
from weighbridge.subjects.file import FILE
from weighbridge.subjects.kinds import SUBJECT_KINDS, document_of, parse_subject, parts_of
from weighbridge.subjects.managed import MANAGED, offer_digest
from weighbridge.subjects.subject import Subject


def columns_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a subject in the document of its kind. Raises Invalid that names the key."""
    subject = parse_subject(document)
    if subject.kind == FILE.kind:
        raise Invalid("A single file is uploaded, or named by its URI and SHA-256.", field="subject.kind")
    return {
        "kind": subject.kind,
        "digest": subject.digest,
        "document": document_of(subject),
        "ends_on": SUBJECT_KINDS[subject.kind].ends_on(subject),
        "contained": sorted(contained(subject)),
    }


def contained(subject: Subject) -> set[str]:
    """The digests of the files and models that the subject consists of, without its own.

    A managed model consists of what its provider offers, whatever the parameters of the calls.
    """
    if subject.kind == MANAGED.kind:
        return {offer_digest(subject)}
    digests = {f"sha256:{entry['sha256']}" for entry in subject.document.get("files", ())}
    if subject.kind == DEPLOYMENT.kind:
        digests.add(model_digest(subject))
    for inner in parts_of(subject):
        digests |= {inner.digest} | contained(inner)
    return digests - {subject.digest}


def columns_elsewhere(uri: str, digest: str) -> dict[str, Any]:
    """The columns of a file that lies elsewhere. Raises Invalid for another location or a format that is not data."""
    check_location(uri)
    suffix = PurePosixPath(uri).suffix.lower()
    if suffix not in SUFFIXES:
        safe = f"The URI must be of a file with one of the suffixes {', '.join(SUFFIXES)}."
        raise Invalid(f"{safe} Pickle files are refused because loading them runs code.", field="uri")
    return {"format": str(SUFFIXES[suffix]), "uri": uri, "digest": digest}
