"""File a model review request on a server from a request file."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from weighbridge.client.request_file import RequestFile
from weighbridge.client.server import PlatformServer, ServerRefused, Upload


def file_request(request: RequestFile, *, server: PlatformServer, key: str, report: Callable[[str], None]) -> str:
    """Upload the model and the data set, create the request, submit it if the file says so; return its reference.

    `key` makes every call idempotent: each call sends it with its own suffix. Raises ServerRefused.
    """
    review = register(request, server=server, key=key, report=report)
    ref = text_from(server.post("/api/v1/requests/", review, key=f"{key}-review"), "ref")
    if request.is_submitted:
        server.post(f"/api/v1/requests/{ref}/submit/", {}, key=f"{key}-submit")
        report(f"submitted {ref}")
    return ref


def register(
    request: RequestFile, *, server: PlatformServer, key: str, report: Callable[[str], None]
) -> dict[str, Any]:
    """Upload the model and the data set; return the document of the request, which names both by digest.

    A version or data set that is registered already with the same content is used as it is. Raises ServerRefused.
    """
    digest = register_model(request, server=server, key=key)
    report(f"model {digest}")
    dataset = register_dataset(request, server=server, key=key)
    if dataset is not None:
        report(f"data set {dataset}")
    return {**request.review, "model_version": digest, "dataset": dataset}


def register_model(request: RequestFile, *, server: PlatformServer, key: str) -> str:
    """Register the model version, with its file if there is one; return its digest. Raises ServerRefused."""
    model = server.upload("/api/v1/models/", _form(request.model, request.model_file, key), key=f"{key}-model")
    return text_from(model, "digest")


def register_dataset(request: RequestFile, *, server: PlatformServer, key: str) -> str | None:
    """Register the data set, if there is one; return its digest. Raises ServerRefused."""
    if request.dataset is None:
        return None
    form = _form(request.dataset, request.dataset_file, key)
    return text_from(server.upload("/api/v1/datasets/", form, key=f"{key}-dataset"), "digest")


def _form(fields: dict[str, str], file: Path | None, key: str) -> Upload:
    return Upload(fields, file, boundary=f"weighbridge-{key}")


def text_from(document: Mapping[str, Any], name: str) -> str:
    """Return a text of an answer; raise ServerRefused if the answer does not have it."""
    value = document.get(name)
    if not isinstance(value, str):
        raise ServerRefused(f"The answer of the server has no {name}; the server may have another version.")
    return value
