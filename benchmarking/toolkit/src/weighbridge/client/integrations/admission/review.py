"""AdmissionReview v1: which artifacts an object of Kubernetes would run, and the response of the gate.

An object names its models in the annotation `weighbridge.dev/model-digest`, several with commas between them, and its
images by digest (`image@sha256:...`).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from weighbridge.client.feed.verdicts import GateReply, plain_text
from weighbridge.core.canonical import is_digest
from weighbridge.core.errors import Invalid

API_VERSION, KIND = "admission.k8s.io/v1", "AdmissionReview"
ANNOTATION = "weighbridge.dev/model-digest"
CONTAINERS = ("containers", "initContainers", "ephemeralContainers")
OPERATIONS = frozenset({"CREATE", "UPDATE"})
FORBIDDEN = 403
IMAGE_DIGEST = re.compile(r"@(sha256:[0-9a-f]{64})\Z")


def reviewed(document: Mapping[str, Any], *, ask: Callable[[str], GateReply], needs_images: bool) -> dict[str, Any]:
    """Return the AdmissionReview with the response. Raises Invalid for what is not a review: it has no `uid` to answer.

    `ask` answers for one digest. The object is allowed only if it names at least one artifact and all are allowed.
    """
    request = document.get("request")
    if document.get("apiVersion") != API_VERSION or document.get("kind") != KIND or not isinstance(request, dict):
        raise Invalid(f"This is not an {KIND} of {API_VERSION}.", code="not_a_review")
    uid = request.get("uid")
    if not isinstance(uid, str) or not uid:
        raise Invalid("The request has no uid.", code="not_a_review")
    fault = fault_of(request, ask=ask, needs_images=needs_images)
    response: dict[str, Any] = {"uid": uid, "allowed": fault is None}
    if fault is not None:
        response["status"] = {"code": FORBIDDEN, "message": plain_text(f"Weighbridge: {fault}")}
    return {"apiVersion": API_VERSION, "kind": KIND, "response": response}


def fault_of(request: Mapping[str, Any], *, ask: Callable[[str], GateReply], needs_images: bool) -> str | None:
    """Return the first reason against an object, or None."""
    if request.get("operation") not in OPERATIONS or not isinstance(request.get("object"), dict):
        return "the gate judges only objects that are created or updated."
    pods = list(_pods(request["object"]))
    models = [digest for annotations, _ in pods for digest in _models(annotations)]
    images = [digest for _, spec in pods for digest in _images(spec)] if needs_images else []
    if not models and not images:
        return f"name the artifacts in the annotation {ANNOTATION}, or the images by digest."
    return next((fault for digest in (*models, *images) if (fault := _fault_of_one(digest, ask))), None)


def _fault_of_one(digest: str, ask: Callable[[str], GateReply]) -> str | None:
    if not is_digest(digest):
        return f"{digest or 'An empty text'} is not a digest; write sha256: and 64 hexadecimal digits."
    reply = ask(digest)
    return None if reply.is_allowed else f"{digest} is {reply.answer}: {' '.join(reply.reasons)}"


def _pods(document: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Yield annotations and pod spec of the object and of every template in it."""
    spec = _mapping(document.get("spec"))
    yield _mapping(_mapping(document.get("metadata")).get("annotations")), spec
    for key in ("template", "jobTemplate"):
        if key in spec:
            yield from _pods(_mapping(spec[key]))


def _models(annotations: Mapping[str, Any]) -> list[str]:
    return [part.strip() for part in str(annotations[ANNOTATION]).split(",")] if ANNOTATION in annotations else []


def _images(spec: Mapping[str, Any]) -> list[str]:
    """The digests of all images; the image itself, which is no digest, where it is not pinned."""
    lists = [spec.get(name) for name in CONTAINERS]
    rows = [row for one in lists if isinstance(one, list) for row in one]
    images = [str(_mapping(row).get("image", "")) for row in rows]
    pinned = [IMAGE_DIGEST.search(image) for image in images]
    return [match[1] if match else image for match, image in zip(pinned, images, strict=True)]


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
