"""The kind `container`: an image of the Open Container Initiative, identified by the digest of its manifest or index.

The document is `{kind, image: registry/repository@sha256:…, platform}`; the platform (`linux/amd64`) is optional and
identifies nothing. The grammar of references:
https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pulling-manifests and, for the registry,
https://github.com/distribution/reference.
"""

import re
from dataclasses import dataclass

from weighbridge.core.canonical import is_digest
from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.subjects.subject import Kind, Subject, Way, short

LONGEST_NAME = 255
_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_REGISTRY = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:]{{2,39}}\])(?::[0-9]{{1,5}})?")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_PLATFORM = re.compile(r"[a-z0-9]{1,20}/[a-z0-9]{1,20}(?:/[a-z0-9.]{1,20})?")


@dataclass(frozen=True)
class Image:
    """An image by its registry, its repository there, and its digest."""

    registry: str
    repository: str
    digest: str

    def __str__(self) -> str:
        return f"{self.registry}/{self.repository}@{self.digest}"


def pinned(image: str, digest: str) -> str:
    """Return the reference of an image with its registry and this digest, whatever its tag; "" if it is invalid."""
    name = image.partition("@")[0]
    folder, slash, last = name.rpartition("/")
    name = folder + slash + last.partition(":")[0]
    registry, slash, _ = name.partition("/")
    reference = f"{name if slash and _is_registry(registry) else _with_registry(name)}@{digest}"
    try:
        return str(parse({"kind": CONTAINER.kind, "image": reference}).document["image"])
    except Invalid:
        return ""


def parse(document: object) -> Subject:
    """Return the subject of a document; raise Invalid for an image without a digest, and anything else."""
    reader = Reader(document)
    reader.constant("kind", CONTAINER.kind)
    image, platform = _image(reader, reader.text("image")), reader.text("platform", "")
    if platform and not _PLATFORM.fullmatch(platform):
        raise reader.fault("platform", "must be a system and a processor, like linux/amd64 or linux/arm/v7.")
    reader.close()
    canonical = {"kind": CONTAINER.kind, "image": str(image)} | ({"platform": platform} if platform else {})
    title = f"{image.repository.rpartition('/')[2]} {short(image.digest)}"
    return Subject(CONTAINER.kind, image.digest, canonical, title)


def _image(reader: Reader, text: str) -> Image:
    """Return the image of a reference; a tag beside the digest is dropped, because it decides nothing."""
    name, at, digest = text.partition("@")
    if not at:
        raise reader.fault("image", f"has no digest, and a tag may name another image tomorrow. {_how(name)}")
    if not is_digest(digest):
        raise reader.fault("image", "must end with @sha256: and 64 lower-case hexadecimal digits.")
    registry, slash, rest = name.partition("/")
    if not slash or not _is_registry(registry):
        raise reader.fault("image", f"must begin with its registry, like {_with_registry(name)}.")
    repository, colon, tag = rest.partition(":")
    if colon and not _TAG.fullmatch(tag):
        raise reader.fault("image", "has an invalid tag; remove it, because the digest decides.")
    if not _REPOSITORY.fullmatch(repository) or len(registry) + len(repository) + 1 > LONGEST_NAME:
        reason = f"must have a repository of lower-case names, like team/model, at most {LONGEST_NAME} characters."
        raise reader.fault("image", reason)
    return Image(registry.lower(), repository, digest)


def _is_registry(text: str) -> bool:
    """Whether the first part of a reference is a registry: it has a dot, a port or a bracket, or is localhost."""
    return _REGISTRY.fullmatch(text) is not None and (text == "localhost" or any(mark in text for mark in ".:["))


def _with_registry(name: str) -> str:
    """Return the name of an image as Docker reads it, which adds its own registry."""
    bare = name.partition(":")[0]
    return f"docker.io/{bare}" if "/" in bare else f"docker.io/library/{bare}"


def _how(name: str) -> str:
    return f"Print the digest with `docker buildx imagetools inspect {name}`, and give registry/repository@sha256:…."


def _describe(subject: Subject) -> str:
    platform = subject.document.get("platform")
    return str(subject.document["image"]) + (f" ({platform})" if platform else "")


def _measured_by(_subject: Subject) -> tuple[Way, ...]:
    return (Way.WORKER, Way.ENDPOINT, Way.ATTESTED)


CONTAINER = Kind("container", "Container image", parse, _describe, _measured_by)
