"""Filing a request: the calls, in order, that make a file into a model review request on a server."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from weighbridge.client.request_file import RequestFile
from weighbridge.client.server import PlatformServer, ServerRefused, Upload


def file_request(wanted: RequestFile, *, server: PlatformServer, key: str, say: Callable[[str], None]) -> str:
    """Upload the model and the data set, create the review, submit it if asked to; return its reference.

    `key` makes every step repeatable: each sends it with its own ending. Raises ServerRefused.
    """
    model = server.upload("/api/v1/models/", _form(wanted.model, wanted.model_file, key), key=f"{key}-model")
    digest = _answer(model, "digest")
    say(f"model {digest}")
    dataset = None
    if wanted.dataset is not None:
        form = _form(wanted.dataset, wanted.dataset_file, key)
        dataset = _answer(server.upload("/api/v1/datasets/", form, key=f"{key}-dataset"), "digest")
        say(f"data set {dataset}")
    review = {**wanted.review, "model_version": digest, "dataset": dataset}
    ref = _answer(server.post("/api/v1/requests/", review, key=f"{key}-review"), "ref")
    if wanted.is_submitted:
        server.post(f"/api/v1/requests/{ref}/submit/", {}, key=f"{key}-submit")
        say(f"submitted {ref}")
    return ref


def _form(fields: dict[str, str], file: Path | None, key: str) -> Upload:
    return Upload(fields, file, boundary=f"weighbridge-{key}")


def _answer(document: dict[str, Any], name: str) -> str:
    value = document.get(name)
    if not isinstance(value, str):
        raise ServerRefused(f"The server's answer has no {name}; it may be of another version.")
    return value
