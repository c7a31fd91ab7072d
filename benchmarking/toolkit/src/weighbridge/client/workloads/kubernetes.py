"""Workloads of a Kubernetes cluster, from the output of `kubectl get pods --all-namespaces --output json`.

Only what runs counts: containers of pods in the phase Running, among them sidecars and debug containers. The digest of
an image is the one that the node pulled (`status.containerStatuses[].imageID`, behind `@`); an image ID without a
repository names the configuration and not the image, so it does not count. The models are those of the annotation that
the admission webhook reads.
"""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from weighbridge.client.integrations.admission.review import ANNOTATION
from weighbridge.client.workloads.report import Workload
from weighbridge.core.canonical import is_digest
from weighbridge.core.errors import Invalid

OWNER_LABEL = "weighbridge.dev/team"
KINDS = ("List", "PodList")
PINNED = re.compile(r"@(sha256:[0-9a-f]{64})\Z")
ACCELERATOR = re.compile(r".+/(?:gpu|mig-.+|tpu|neuron|neuroncore|i915|xe|habana|gaudi)(?:\.shared)?")
PRODUCTS = ("nvidia.com/gpu.product", "cloud.google.com/gke-accelerator", "cloud.google.com/gke-tpu-accelerator")
"""Labels by which a pod selects nodes with one type of accelerator."""
_COUNT = re.compile(r"[0-9]{1,6}")


def workloads_of_pods(
    document: object, *, has_all: bool = False, owner_label: str = OWNER_LABEL, observed_at: datetime
) -> tuple[Workload, ...]:
    """Return the workloads of a list of pods. Raises Invalid for another document.

    Without `has_all`, only containers with accelerators and pods that name their models count. `owner_label` is the
    label of a pod that names its team.
    """
    listed = _mapping(document)
    items = listed.get("items")
    if listed.get("kind") not in KINDS or not isinstance(items, list):
        text = "This is not a list of pods; write it with kubectl get pods --all-namespaces --output json."
        raise Invalid(text, code="not_pods", field="file")
    found = (each for pod in items for each in _of_pod(_mapping(pod), owner_label, observed_at))
    return _merged(each for each in found if has_all or each.gpus or each.model_digests)


def is_list_of_pods(document: object) -> bool:
    """Whether the document has the form of a list of Kubernetes."""
    return _mapping(document).get("kind") in KINDS


def _of_pod(pod: Mapping[str, Any], owner_label: str, observed_at: datetime) -> Iterator[Workload]:
    metadata, spec, status = (_mapping(pod.get(name)) for name in ("metadata", "spec", "status"))
    if pod.get("kind", "Pod") != "Pod" or status.get("phase") != "Running":
        return
    containers, statuses = list(_containers(spec, status)), _statuses(status)
    labels, name = _mapping(metadata.get("labels")), _controller(metadata)
    for container in containers:
        own = str(container.get("name", ""))
        image = str(container.get("image", ""))
        yield Workload(
            name=name if len(containers) == 1 else f"{name}/{own}",
            namespace=str(metadata.get("namespace", "")),
            image=image,
            image_digest=_digest(str(statuses.get(own, {}).get("imageID", "")), image),
            model_digests=_models(_mapping(metadata.get("annotations"))),
            since=_since(status.get("startTime"), observed_at),
            gpus=_gpus(container, _mapping(spec.get("nodeSelector"))),
            owner=str(labels.get(owner_label, "")),
        )


def _containers(spec: Mapping[str, Any], status: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the containers that run, as far as the status tells."""
    sidecars = [row for row in _mappings(spec.get("initContainers")) if row.get("restartPolicy") == "Always"]
    statuses = _statuses(status)
    for row in (*_mappings(spec.get("containers")), *sidecars, *_mappings(spec.get("ephemeralContainers"))):
        state = _mapping(statuses.get(str(row.get("name", "")), {}).get("state"))
        if not state or "running" in state:
            yield row


def _statuses(status: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the statuses of all containers by name."""
    kinds = ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
    return {str(row.get("name", "")): row for kind in kinds for row in _mappings(status.get(kind))}


def _controller(metadata: Mapping[str, Any]) -> str:
    """Return the name of what made the pod; of a deployment without the hash of its pods' template."""
    name, owners = str(metadata.get("name", "")), _mappings(metadata.get("ownerReferences"))
    controller = next((str(row.get("name")) for row in owners if row.get("controller") is True), name)
    template = _mapping(metadata.get("labels")).get("pod-template-hash")
    return controller.removesuffix(f"-{template}") if template else controller


def _digest(image_id: str, image: str) -> str:
    """Return the digest that the node pulled, or else the one that the pod asks for; nothing for a tag alone."""
    match = PINNED.search(image_id) or PINNED.search(image)
    return match[1] if match else ""


def _models(annotations: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the digests in the annotation; the rest of it names no artifact."""
    words = [part.strip() for part in str(annotations.get(ANNOTATION, "")).split(",")]
    return tuple(dict.fromkeys(word for word in words if is_digest(word)))


def _since(text: object, observed_at: datetime) -> datetime | None:
    """Return the start of the pod, at the latest `observed_at`: the clocks of cluster and reporter may differ."""
    try:
        started = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    if started is None or started.utcoffset() is None:
        return None
    return min(started, observed_at)


def _gpus(container: Mapping[str, Any], selector: Mapping[str, Any]) -> dict[str, int]:
    """Return the accelerators of a container by type; the name of the resource where the pod selects no type."""
    limits = _mapping(_mapping(container.get("resources")).get("limits"))
    product = next((str(selector[name]) for name in PRODUCTS if selector.get(name)), "")
    counts: dict[str, int] = {}
    for resource, amount in limits.items():
        if ACCELERATOR.fullmatch(resource) and _COUNT.fullmatch(str(amount)) and int(amount):
            kind = product if product and "/mig-" not in resource else resource
            counts[kind] = counts.get(kind, 0) + int(amount)
    return counts


def _merged(workloads: Iterable[Workload]) -> tuple[Workload, ...]:
    """Return one workload for all replicas of the same, in the order of their names."""
    merged: dict[tuple[object, ...], Workload] = {}
    for each in workloads:
        other = merged.get(each.key)
        merged[each.key] = each if other is None else _sum(other, each)
    return tuple(merged[key] for key in sorted(merged, key=str))


def _sum(one: Workload, other: Workload) -> Workload:
    gpus = {name: one.gpus.get(name, 0) + other.gpus.get(name, 0) for name in (*one.gpus, *other.gpus)}
    starts = [each.since for each in (one, other) if each.since is not None]
    return dataclasses.replace(one, replicas=one.replicas + other.replicas, gpus=gpus, since=min(starts, default=None))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: object) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
