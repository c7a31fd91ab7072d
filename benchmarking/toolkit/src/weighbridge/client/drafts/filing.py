"""File the draft of a request, or change the draft that there is; what people have submitted is left alone."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from weighbridge.client.request_file import RequestFile
from weighbridge.client.server import PlatformServer, ServerRefused
from weighbridge.client.submission import register_dataset, register_model, text_from

DRAFT = "draft"
ENDED = ("withdrawn", "expired")
"""The states after which the same artifact may be filed again for the same purpose."""


@dataclasses.dataclass(frozen=True)
class Drafted:
    """The request after the call: its reference, page and state, and what was done: filed, updated or left."""

    ref: str
    url: str
    state: str
    done: str
    digest: str
    environment: str


def file_draft(request: RequestFile, *, server: PlatformServer, key: str, report: Callable[[str], None]) -> Drafted:
    """File the request or update its draft, and submit it if the file says so. Raises ServerRefused.

    The team's request of the same artifact, purpose and environment is the same request. If it was submitted already,
    nothing is changed. `key` makes every call idempotent.
    """
    digest = register_model(request, server=server, key=key)
    report(f"model {digest}")
    dataset = register_dataset(request, server=server, key=key)
    review = {**request.review, "model_version": digest, "dataset": dataset}
    team = str(request.model.get("team"))
    known = known_request(review, team=team, server=server)
    try:
        answer, done = _written(review, known, server=server, key=key)
    except ServerRefused:
        # Another program filed the same between the two calls.
        second = known_request(review, team=team, server=server)
        if known is not None or second is None:
            raise
        answer, done = _written(review, second, server=server, key=f"{key}-again")
    ref = text_from(answer, "ref")
    if request.is_submitted and answer.get("state") == DRAFT:
        answer, done = server.post(f"/api/v1/requests/{ref}/submit/", {}, key=f"{key}-submit"), f"{done}, submitted"
    return Drafted(
        ref=ref,
        url=text_from(answer, "html_url"),
        state=text_from(answer, "state"),
        done=done,
        digest=digest,
        environment=str(review["environment"]),
    )


def known_request(review: Mapping[str, Any], *, team: str, server: PlatformServer) -> dict[str, Any] | None:
    """Return the team's newest request of the same artifact, purpose and environment that has not ended, or None."""
    wanted = {name: review[name] for name in ("purpose", "environment")}
    wanted |= {"digest": review["model_version"], "team": team}
    page = server.get("/api/v1/requests/", q=str(review["model_version"]))
    rows = page.get("results")
    for row in rows if isinstance(rows, list) else []:
        is_same = isinstance(row, dict) and all(row.get(name) == value for name, value in wanted.items())
        if is_same and row.get("state") not in ENDED:
            return dict(row)
    return None


def _written(
    review: Mapping[str, Any], known: Mapping[str, Any] | None, *, server: PlatformServer, key: str
) -> tuple[dict[str, Any], str]:
    """Return the request as it is then, and what was done."""
    if known is None:
        return server.post("/api/v1/requests/", review, key=f"{key}-review"), "filed"
    ref = text_from(known, "ref")
    if known.get("state") == DRAFT:
        return server.post(f"/api/v1/requests/{ref}/edit/", review, key=f"{key}-edit"), "updated"
    return dict(known), "left as it is"
