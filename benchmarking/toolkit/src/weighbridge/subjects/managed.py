"""The kind `managed`: a model that a provider runs, identified by what selects it there.

The document is `{kind, provider, model, snapshot, region, parameters, retires_on}`. The digest is the SHA-256 of its
canonical JSON (`core.canonical`) without the day of retirement, which is news about the model and no part of it. The
provider can change what an alias runs, so that its digest identifies the name and not the weights.
"""

import re
from datetime import date

from weighbridge.core.canonical import digest_of
from weighbridge.core.documents import Reader
from weighbridge.subjects.parameters import parameters_in
from weighbridge.subjects.subject import Kind, Subject, Way, name_in

_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_ALIASES = frozenset({"auto", "current", "default", "experimental", "latest", "newest", "preview", "stable"})
_DATE = re.compile(r"(?<![0-9])20[0-9]{2}-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12][0-9]|3[01])(?![0-9])")
_WORD = re.compile(r"[a-z]+")


def parse(document: object) -> Subject:
    """Return the subject of a document; raise Invalid for anything else.

    An empty snapshot is that of an alias; a model whose name has a date is none, and needs the date as its snapshot.
    """
    reader = Reader(document)
    reader.constant("kind", MANAGED.kind)
    canonical = {
        "kind": MANAGED.kind,
        "provider": _slug(reader, "provider"),
        "model": name_in(reader, "model"),
        "snapshot": name_in(reader, "snapshot", ""),
        "region": name_in(reader, "region", ""),
        "parameters": parameters_in(reader, "parameters"),
    }
    if not canonical["snapshot"] and (dated := _DATE.search(str(canonical["model"]))):
        raise reader.fault("snapshot", f"is missing; the name of the model has one, so write snapshot: {dated[0]}.")
    retires = {"retires_on": reader.day("retires_on").isoformat()} if reader.asks("retires_on") else {}
    reader.close()
    title = f"{canonical['provider']}/{canonical['model']}"
    snapshot = f" {canonical['snapshot']}" if canonical["snapshot"] else ""
    return Subject(MANAGED.kind, digest_of(canonical), canonical | retires, title + snapshot)


def is_alias(subject: Subject) -> bool:
    """Return whether the provider may change what runs under the name: it has no snapshot, or one like `latest`.

    A snapshot without a digit is taken as an alias, too, because it names neither a day nor a version.
    """
    snapshot = str(subject.document["snapshot"]).lower()
    has_number = any(character.isdigit() for character in snapshot)
    return not has_number or not _ALIASES.isdisjoint(_WORD.findall(snapshot))


def offer_digest(subject: Subject) -> str:
    """Return the digest of what the provider offers and retires: the model without the parameters of its calls."""
    offer = {key: subject.document[key] for key in ("kind", "provider", "model", "snapshot", "region")}
    return digest_of(offer)


def _slug(reader: Reader, key: str) -> str:
    text = reader.text(key).lower()
    if not _SLUG.fullmatch(text):
        raise reader.fault(key, "must be a short name of letters, digits, dots, hyphens and underscores, like openai.")
    return text


def _describe(subject: Subject) -> str:
    document = subject.document
    region = f" in {document['region']}" if document["region"] else ""
    alias = ", an alias that the provider may change" if is_alias(subject) else ""
    end = f", retires on {document['retires_on']}" if "retires_on" in document else ""
    return f"{subject.title}{region}{alias}{end}"


def _measured_by(_subject: Subject) -> tuple[Way, ...]:
    return (Way.ENDPOINT, Way.ATTESTED)


def _ends_on(subject: Subject) -> date | None:
    retires_on = subject.document.get("retires_on")
    return date.fromisoformat(retires_on) if retires_on is not None else None


MANAGED = Kind("managed", "Managed model", parse, _describe, _measured_by, _ends_on)
