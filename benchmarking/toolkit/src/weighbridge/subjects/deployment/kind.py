"""The kind `deployment`: a model as it is served, which is what speed, memory and cost belong to.

The document is `{kind, model, server, hardware, settings, context_tokens, prompt_cache}`:

- `model`: the document of a file, a manifest, a container or a managed model, or `{digest}` of one;
- `server`: `{image: registry/repository@sha256:…}`, or `{name, version}`; a managed model has none;
- `hardware`: `{accelerator, count, tensor_parallel}`, or `managed` if the provider of the server decides;
- `settings`: the options of the server that change answers or speed, as JSON;
- `context_tokens`: the longest sequence that the server accepts; optional;
- `prompt_cache`: `{is_enabled, cached_share}`: whether prompts are cached, and the share of their tokens, from 0 to 1,
  that is expected in the cache; optional.

The digest is the SHA-256 of the canonical JSON of all of them, with the model and the image as their digests.
"""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from weighbridge.core.canonical import digest_of, plain
from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.core.metrics.accelerators import ACCELERATORS
from weighbridge.subjects.container import CONTAINER
from weighbridge.subjects.parameters import parameters_in
from weighbridge.subjects.pipeline import PARTS
from weighbridge.subjects.subject import Kind, Subject, Way, digest_in, name_in, short

MANAGED_HARDWARE = "managed"
MOST_ACCELERATORS = 100_000
_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_LABELS: Mapping[str, str] = MappingProxyType({each.name: each.label for each in ACCELERATORS})


def parse(document: object) -> Subject:
    """Return the subject of a document; raise Invalid for anything else, with the place of the key."""
    reader = Reader(document)
    reader.constant("kind", DEPLOYMENT.kind)
    model, model_document = _model(reader)
    is_managed = model is not None and model.kind == "managed"
    server_document, server, image = _server(reader, is_managed=is_managed)
    hardware = _hardware(reader, is_managed=is_managed)
    rest = {"settings": parameters_in(reader, "settings")} | _context(reader) | _prompt_cache(reader)
    reader.close()
    digest = model.digest if model is not None else model_document["digest"]
    identity = {"kind": DEPLOYMENT.kind, "model": digest, "hardware": hardware} | rest
    canonical = {"kind": DEPLOYMENT.kind, "model": model_document, "hardware": hardware} | rest
    if server_document:
        identity["server"] = {"image": image.digest} if image is not None else server_document
        canonical["server"] = server_document
    title = f"{model.title if model is not None else short(digest)}{f' on {server}' if server else ''}"
    return Subject(DEPLOYMENT.kind, digest_of(identity), canonical, title)


def model_digest(subject: Subject) -> str:
    """Return the digest of the model that a deployment serves."""
    model = _model_of(subject)
    return model.digest if model is not None else str(subject.document["model"]["digest"])


def served_parts(subject: Subject) -> tuple[Subject, ...]:
    """Return the model of a deployment, unless only its digest is known, and the image of its server, if it has one."""
    image = subject.document.get("server", {}).get("image")
    server = (CONTAINER.parse({"kind": CONTAINER.kind, "image": image}),) if image else ()
    model = _model_of(subject)
    return (model, *server) if model is not None else server


def _model_of(subject: Subject) -> Subject | None:
    document = subject.document["model"]
    return PARTS[document["kind"]].parse(document) if "kind" in document else None


def _model(reader: Reader) -> tuple[Subject | None, Mapping[str, Any]]:
    """Return the model, None if only its digest is given, and its document."""
    inner = reader.mapping("model")
    if inner.has("digest"):
        digest = digest_in(inner, "digest")
        inner.close()
        return None, {"digest": digest}
    kind = inner.text("kind")
    if kind not in PARTS:
        raise inner.fault("kind", f"must be one of {', '.join(PARTS)}; give a pipeline by its digest.")
    try:
        model = PARTS[kind].parse(reader.plain("model"))
    except Invalid as error:
        text = f"{inner.path}: {error.reason}"
        raise Invalid(text, code=error.code, field=inner.at(error.field or "")) from error
    return model, model.document


def _server(reader: Reader, *, is_managed: bool) -> tuple[dict[str, str], str, Subject | None]:
    """Return the document of the server, its title, and its image, None if it has none."""
    if is_managed:
        if reader.asks("server"):
            raise reader.fault("server", "is not known of a managed model; leave it out.")
        return {}, "", None
    inner = reader.mapping("server")
    if not inner.asks("image"):
        name, version = name_in(inner, "name"), name_in(inner, "version")
        inner.close()
        return {"name": name, "version": version}, f"{name} {version}", None
    text = inner.text("image")
    inner.close()
    try:
        image = CONTAINER.parse({"kind": CONTAINER.kind, "image": text})
    except Invalid as error:
        raise Invalid(f"{inner.path}.{error.reason}", code=error.code, field=inner.at("image")) from error
    return {"image": str(image.document["image"])}, image.title, image


def _hardware(reader: Reader, *, is_managed: bool) -> str | dict[str, Any]:
    value = reader.plain("hardware") if reader.asks("hardware") else MANAGED_HARDWARE if is_managed else None
    if value == MANAGED_HARDWARE:
        return MANAGED_HARDWARE
    if is_managed:
        raise reader.fault("hardware", "is not known of a managed model; write managed.")
    inner = reader.mapping("hardware")
    accelerator = inner.text("accelerator").lower()
    if not _SLUG.fullmatch(accelerator):
        raise inner.fault("accelerator", f"must be a short name like {', '.join(_LABELS)} or cpu.")
    count = inner.whole("count", 1, at_least=1, at_most=MOST_ACCELERATORS)
    parallel = inner.whole("tensor_parallel", 1, at_least=1, at_most=MOST_ACCELERATORS)
    if count % parallel:
        raise inner.fault("tensor_parallel", f"must divide the {count} accelerators.")
    inner.close()
    return {"accelerator": accelerator, "count": count, "tensor_parallel": parallel}


def _context(reader: Reader) -> dict[str, Any]:
    return {"context_tokens": reader.whole("context_tokens", at_least=1)} if reader.asks("context_tokens") else {}


def _prompt_cache(reader: Reader) -> dict[str, Any]:
    if not reader.asks("prompt_cache"):
        return {}
    inner = reader.mapping("prompt_cache")
    document: dict[str, Any] = {"is_enabled": inner.flag("is_enabled")}
    if inner.asks("cached_share"):
        share = inner.number("cached_share")
        if not 0 <= share <= 1 or Decimal(str(float(share))) != share:
            raise inner.fault("cached_share", "must be a number from 0 to 1 of at most 15 digits.")
        document["cached_share"] = plain(float(share))
    inner.close()
    if document.get("cached_share") and not document["is_enabled"]:
        raise inner.fault("cached_share", "must be 0 without a cache; enable it, or leave the share out.")
    return {"prompt_cache": document}


def _describe(subject: Subject) -> str:
    document = subject.document
    hardware = document["hardware"]
    if hardware == MANAGED_HARDWARE:
        where = "hardware of the provider"
    else:
        where = f"{hardware['count']} x {_LABELS.get(hardware['accelerator'], hardware['accelerator'])}"
        if hardware["tensor_parallel"] > 1:
            where += f", tensor parallel {hardware['tensor_parallel']}"
    context = f", {document['context_tokens']:,} tokens" if "context_tokens" in document else ""
    settings = f", {len(document['settings'])} settings" if document["settings"] else ""
    return f"{subject.title}: {where}{context}{settings}"


def _measured_by(_subject: Subject) -> tuple[Way, ...]:
    return (Way.ENDPOINT, Way.ATTESTED)


def _ends_on(subject: Subject) -> date | None:
    """A deployment ends with its model."""
    model = _model_of(subject)
    return PARTS[model.kind].ends_on(model) if model is not None else None


DEPLOYMENT = Kind("deployment", "Deployment of a model", parse, _describe, _measured_by, _ends_on)
