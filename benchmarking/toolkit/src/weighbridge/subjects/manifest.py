"""The kind `manifest`: a folder of files, such as a repository of weights, identified by its root digest.

The root digest is that of OpenSSF model signing v1.0 (https://github.com/sigstore/model-transparency, `Payload` in
`model_signing/_signing/signing.py`): the SHA-256 of the binary SHA-256 digests of all files, one after the other, in
the order of the parts of their paths. It covers the content and the order of the files, but not their names: two
folders whose files have the same content in the same order have one root digest. `folder.verify` compares names too.

The document is `{kind, files: [{path, sha256, size_bytes}], name}`; sizes and the name are optional.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from weighbridge.core.canonical import DIGEST_PREFIX
from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.subjects.file import size_in
from weighbridge.subjects.paths import check_apart, check_count, check_path, order
from weighbridge.subjects.subject import Kind, Subject, Way, digest_in, hexadecimal, name_in, short


@dataclass(frozen=True)
class Entry:
    """A file of a manifest: its path, its digest `sha256:<64 hex>`, and its size in bytes, None if it is unknown."""

    path: str
    digest: str
    size_bytes: int | None = None

    def as_document(self) -> dict[str, Any]:
        """Return the entry as the manifest document has it."""
        size = {} if self.size_bytes is None else {"size_bytes": self.size_bytes}
        return {"path": self.path, "sha256": hexadecimal(self.digest)} | size


def root_digest(entries: Iterable[Entry]) -> str:
    """Return the root digest of OpenSSF model signing, whatever the order of the entries."""
    root = hashlib.sha256()
    for entry in sorted(entries, key=lambda entry: order(entry.path)):
        root.update(bytes.fromhex(hexadecimal(entry.digest)))
    return f"{DIGEST_PREFIX}{root.hexdigest()}"


def subject_of(entries: Iterable[Entry], *, name: str = "", field: str = "files") -> Subject:
    """Return the subject of the files of a folder; raise Invalid for no files, too many, or paths that are refused."""
    found = sorted(entries, key=lambda entry: order(entry.path))
    if not found:
        raise Invalid("There are no files; a manifest needs at least one.", code="manifest_empty", field=field)
    check_count(len(found), field=field)
    for entry in found:
        check_path(entry.path, field=field)
    check_apart((entry.path for entry in found), field=field)
    digest = root_digest(found)
    document = {"kind": MANIFEST.kind, "files": [entry.as_document() for entry in found]}
    title = name or f"{len(found):,} files {short(digest)}"
    return Subject(MANIFEST.kind, digest, document | ({"name": name} if name else {}), title)


def parse(document: object) -> Subject:
    """Return the subject of a manifest document, with its files in order; raise Invalid for anything else."""
    reader = Reader(document)
    reader.constant("kind", MANIFEST.kind)
    name, files = name_in(reader, "name", ""), reader.plain("files")
    if not isinstance(files, list | tuple):
        raise reader.fault("files", "must be a list.")
    check_count(len(files), field="files")
    entries = reader.items("files", _entry)
    reader.close()
    return subject_of(entries, name=name)


def entries_of(document: Mapping[str, Any]) -> tuple[Entry, ...]:
    """Return the files of the document of a subject."""
    return tuple(
        Entry(each["path"], f"{DIGEST_PREFIX}{each['sha256']}", each.get("size_bytes")) for each in document["files"]
    )


def _entry(reader: Reader) -> Entry:
    path = reader.plain("path")
    if not isinstance(path, str):
        raise reader.fault("path", "must be text.")
    return Entry(path, digest_in(reader, "sha256"), size_in(reader).get("size_bytes"))


def _describe(subject: Subject) -> str:
    entries = entries_of(subject.document)
    sizes = [entry.size_bytes for entry in entries if entry.size_bytes is not None]
    size = f", {sum(sizes):,} bytes" if len(sizes) == len(entries) else ""
    return f"{subject.title}: {len(entries):,} files{size}"


def _measured_by(_subject: Subject) -> tuple[Way, ...]:
    return (Way.WORKER, Way.ENDPOINT, Way.ATTESTED)


MANIFEST = Kind("manifest", "Folder of files", parse, _describe, _measured_by)
