"""Attach studies, and results of other tools, to a request on a server."""

import dataclasses
import secrets
from collections.abc import Iterator, Sequence
from pathlib import Path

from weighbridge.client.server import PlatformServer, ServerRefused, Upload
from weighbridge.core.errors import Invalid


@dataclasses.dataclass(frozen=True)
class Attachment:
    """What became of a file, in sentences: `is_refused` by the server, or `is_unclear` because it did not answer."""

    file: Path
    sentences: tuple[str, ...]
    is_refused: bool = False
    is_unclear: bool = False


def attach_files(files: Sequence[Path], *, ref: str, part: str, server: PlatformServer) -> Iterator[Attachment]:
    """Send each file, and go on after one that is refused; raise Invalid, before the first, if one cannot be read.

    `part` names one of several results in a file.
    """
    missing = [str(file) for file in files if not file.is_file()]
    if missing:
        raise Invalid(f"{missing[0]} is no file. Nothing was sent.", field="files")
    return (_attach(file, ref, part, server) for file in files)


def _attach(file: Path, ref: str, part: str, server: PlatformServer) -> Attachment:
    key = secrets.token_hex(16)
    upload = Upload({"part": part} if part else {}, file, boundary=f"weighbridge-{key}")
    try:
        answer = server.upload(f"/api/v1/requests/{ref}/imports/", upload, key=key)
    except ServerRefused as refused:
        is_refused = 400 <= refused.http_status < 500
        return Attachment(file, (refused.reason,), is_refused=is_refused, is_unclear=not is_refused)
    study, taken = answer.get("study"), answer.get("taken") or []
    said = [str(sentence) for sentence in study["conclusions"]] if isinstance(study, dict) else []
    declared = [f"Declared: {', '.join(map(str, taken))}."] if taken else []
    doubts = [str(reason) for reason in answer.get("reasons") or []]
    return Attachment(file, (f"It is {answer.get('verdict')}.", *said, *declared, *doubts))
