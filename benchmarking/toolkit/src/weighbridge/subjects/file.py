"""The kind `file`: one model file, identified by the SHA-256 of its bytes.

The document is `{kind, format, sha256, size_bytes, name}`; size and name are optional and identify nothing.
"""

from weighbridge.core.documents import Reader
from weighbridge.core.model_files.formats import ArtifactFormat
from weighbridge.subjects.subject import Kind, Subject, Way, digest_in, hexadecimal, name_in, short

LARGEST_BYTES = 2**63 - 1
# Formats with weights alone run only in the software that they were made for.
_OF_WEIGHTS = frozenset({ArtifactFormat.SAFETENSORS, ArtifactFormat.GGUF})


def parse(document: object) -> Subject:
    """Return the subject of a document; its digest is that of the file. Raises Invalid for anything else."""
    reader = Reader(document)
    reader.constant("kind", FILE.kind)
    form, digest = reader.choice("format", ArtifactFormat), digest_in(reader, "sha256")
    name = name_in(reader, "name", "")
    size = size_in(reader)
    reader.close()
    canonical = {"kind": FILE.kind, "format": form.value, "sha256": hexadecimal(digest)} | size
    title = name or f"{form} file {short(digest)}"
    return Subject(FILE.kind, digest, canonical | ({"name": name} if name else {}), title)


def size_in(reader: Reader) -> dict[str, int]:
    """Return the optional key `size_bytes` of a document."""
    if not reader.asks("size_bytes"):
        return {}
    return {"size_bytes": reader.whole("size_bytes", at_most=LARGEST_BYTES)}


def _describe(subject: Subject) -> str:
    size = subject.document.get("size_bytes")
    return f"{subject.title}: {subject.document['format']}" + (f", {size:,} bytes" if size is not None else "")


def _measured_by(subject: Subject) -> tuple[Way, ...]:
    if subject.document["format"] in _OF_WEIGHTS:
        return (Way.WORKER, Way.ENDPOINT, Way.ATTESTED)
    return (Way.HERE, Way.WORKER, Way.ENDPOINT, Way.ATTESTED)


FILE = Kind("file", "Model file", parse, _describe, _measured_by)
