"""Bring the drafts of a server in line with the request files of a folder, one request after the other.

A request of the server belongs to a file if it is about the same artifact, for the same purpose: the open one, or one
that ended in the same environment. A draft is updated; what is submitted already is left as it is. Nothing is
submitted. A second run changes nothing.
"""

import dataclasses
import uuid
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

from weighbridge.client.bulk.sheet import read_sheet
from weighbridge.client.request_file import RequestFile, parse_request, read_request_file
from weighbridge.client.server import PlatformServer, ServerRefused
from weighbridge.client.submission import register
from weighbridge.core.errors import Invalid, Refused

FILES_MAX, PAGES_MAX = 5_000, 100
SUFFIXES = (".yaml", ".yml", ".csv")
ENDED = frozenset({"decided", "withdrawn", "expired"})
UNSUBMITTED = "It is not submitted: see on its page what a submission means, and submit it there."
COMPARED = ("title", "purpose", "environment", "business_case", "dataset", "rivals", "metric_values")
"""The keys of a request in which an update shows."""


class SyncOutcome(StrEnum):
    """What became of a request file."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    LEFT = "left"
    REFUSED = "refused"
    UNCLEAR = "unclear"


@dataclasses.dataclass(frozen=True)
class SyncLine:
    """What became of one request: where it stands in the folder, its reference ("" if it has none), and why."""

    source: str
    outcome: SyncOutcome
    ref: str = ""
    reason: str = ""


def sync_folder(folder: Path, *, server: PlatformServer) -> Iterator[SyncLine]:
    """Yield one line for each request in the files of the folder, in the order of their names.

    A request that cannot be read or filed does not stop the others. Raises Invalid if there is no such file.
    """
    paths = _files(folder)
    seen: dict[tuple[str, ...], str] = {}
    for path in paths:
        for source, request in _requests(path):
            yield _synced(source, request, seen, server)


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise Invalid(f"There is no folder {folder}.", field="folder")
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    if not paths:
        raise Invalid(f"{folder} has no file that ends in {', '.join(SUFFIXES)}.", field="folder")
    if len(paths) > FILES_MAX:
        raise Invalid(f"{folder} has more than {FILES_MAX:,} request files; split it.", field="folder")
    return paths


def _requests(path: Path) -> Iterator[tuple[str, RequestFile | Invalid]]:
    """Each request of a file with its name, or the error in its place."""
    if path.suffix.lower() != ".csv":
        yield path.name, _read(partial(read_request_file, path))
        return
    try:
        rows = list(read_sheet(path))
    except Invalid as refusal:
        yield path.name, refusal
        return
    for number, document in rows:
        yield f"{path.name}:{number}", _read(partial(parse_request, document, folder=path.parent))


def _synced(
    source: str, request: RequestFile | Invalid, seen: dict[tuple[str, ...], str], server: PlatformServer
) -> SyncLine:
    if isinstance(request, Invalid):
        return SyncLine(source, SyncOutcome.REFUSED, reason=request.reason)
    same = (*(request.model[name] for name in ("team", "slug", "version")), request.review["purpose"])
    if same in seen:
        return SyncLine(source, SyncOutcome.LEFT, reason=f"{seen[same]} is about the same version and purpose.")
    seen[same] = source
    try:
        return _filed(source, request, server)
    except ServerRefused as refused:
        is_answer = 400 <= refused.http_status < 500
        outcome = SyncOutcome.REFUSED if is_answer else SyncOutcome.UNCLEAR
        return SyncLine(source, outcome, reason=refused.reason)


def _filed(source: str, request: RequestFile, server: PlatformServer) -> SyncLine:
    key = uuid.uuid4().hex
    review = register(request, server=server, key=key, report=lambda _: None)
    known, note = _known(review, request.model["team"], server), UNSUBMITTED if request.is_submitted else ""
    if known is None:
        ref = str(server.post("/api/v1/requests/", review, key=f"{key}-review").get("ref", ""))
        return SyncLine(source, SyncOutcome.CREATED, ref, note)
    ref, state = str(known.get("ref", "")), str(known.get("state", ""))
    if state != "draft":
        return SyncLine(source, SyncOutcome.LEFT, ref, f"It is {state.replace('_', ' ')}; only drafts are updated.")
    before = server.get(f"/api/v1/requests/{ref}/")
    after = server.post(f"/api/v1/requests/{ref}/edit/", review, key=f"{key}-edit")
    is_same = all(before.get(name) == after.get(name) for name in COMPARED)
    return SyncLine(source, SyncOutcome.UNCHANGED if is_same else SyncOutcome.UPDATED, ref, note)


def _known(review: Mapping[str, Any], team: str, server: PlatformServer) -> Mapping[str, Any] | None:
    """The request of the server that belongs to the file: the open one, or the latest that ended."""
    digest = str(review["model_version"])
    wanted = {"digest": digest, "team": team, "purpose": review["purpose"]}
    rows = [row for row in _listed(digest, server) if all(row.get(name) == text for name, text in wanted.items())]
    # A version has one open request for a purpose, whatever its environment.
    fitting = [row for row in rows if row.get("state") not in ENDED or row.get("environment") == review["environment"]]
    return min(fitting, key=lambda row: row.get("state") in ENDED, default=None)


def _listed(digest: str, server: PlatformServer) -> Iterator[Mapping[str, Any]]:
    for page in range(1, PAGES_MAX + 1):
        answer = server.get("/api/v1/requests/", q=digest, page=str(page))
        rows = answer.get("results")
        yield from (row for row in rows if isinstance(row, dict)) if isinstance(rows, list) else ()
        if not answer.get("next"):
            return


def _read(read: Callable[[], RequestFile]) -> RequestFile | Invalid:
    try:
        return read()
    except Refused as refusal:
        return Invalid(refusal.reason, field=refusal.field)
