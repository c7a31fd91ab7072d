"""The request bytes, built before the run. Rotating different bodies avoids unrealistic cache hits."""

import itertools
import json
import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np

from weighbridge.core.addresses import PORTS, PinnedAddress
from weighbridge.core.errors import Invalid
from weighbridge.core.masking import hide_secrets, mask
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.core.parsing.limits import MEASUREMENT
from weighbridge.load.chat.prompts import chat_bodies
from weighbridge.load.generator.http2.request import Http2Request, RequestMaker
from weighbridge.load.plan import FILLED, LoadPlan

HEADER_FILE_BYTES_MAX = 100_000
BODIES_MAX = 100_000
BODY_BYTES_MAX = 200_000_000
OWN_HEADERS = {"host", "content-length", "transfer-encoding", "connection", "expect", "upgrade"}
# Headers that never contain credentials. Stored plans may contain values of only these headers.
CONTENT_HEADERS = {"content-encoding", "content-language", "content-type"}
ACCEPT_HEADERS = {"accept", "accept-encoding", "accept-language"}
PUBLIC_HEADERS = CONTENT_HEADERS | ACCEPT_HEADERS | {"cache-control", "pragma", "user-agent"}
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
USER_AGENT = "weighbridge-load"


def build_requests(plan: LoadPlan, target: PinnedAddress) -> list[bytes] | list[Http2Request]:
    """Return the requests to send in turn, at least one.

    A body file that ends in `.jsonl` has one JSON body per line; `.npz` has `x` (rows, ...), each row sent as
    `{"instances": [row]}`; any other file is one body. Raises Invalid for invalid files and headers.
    """
    bodies = bodies_of(plan) or [b""]
    has_length = plan.method in {"POST", "PUT", "PATCH"} or bool(plan.body)
    if plan.protocol.is_http2:
        maker = RequestMaker(_pseudo_headers(plan, target), _headers(plan))
        return [maker.request(body, has_length=has_length) for body in bodies]
    if has_length:
        return list(map(message_maker(plan, target), bodies))
    head = _head(plan, target)
    return [b"".join([head, b"\r\n", body]) for body in bodies]


def bodies_of(plan: LoadPlan) -> list[bytes]:
    """Return the bodies of a plan: those of its prompts, or of its file; none without either."""
    if plan.chat is not None:
        return chat_bodies(plan.chat)
    return read_bodies(Path(plan.body)) if plan.body else []


def message_maker(plan: LoadPlan, target: PinnedAddress) -> Callable[[bytes], bytes]:
    """Return what makes a request of HTTP/1.1 from its body."""
    head = _head(plan, target)
    return lambda body: b"".join([head, f"Content-Length: {len(body)}\r\n\r\n".encode(), body])


def header_from(text: str) -> tuple[str, str]:
    """Parse `Name: value`; raise Invalid for another form, or for a header that the generator sets itself."""
    name, separator, value = (part.strip() for part in text.partition(":"))
    if not separator or not TOKEN.fullmatch(name) or not value.isprintable() or not value.isascii():
        raise Invalid("Write a header like 'Name: value', in ASCII characters.", field="header")
    if name.lower() in OWN_HEADERS:
        raise Invalid(f"The generator sets the header {name} itself; remove it.", field="header")
    return name, value


def headers_from_file(path: Path) -> list[tuple[str, str]]:
    """Read `Name: value` lines, whose values are secrets: no error repeats them.

    Raises Invalid if the file cannot be read, is too long or has another form.
    """
    try:
        with path.open("rb") as file:
            content = file.read(HEADER_FILE_BYTES_MAX + 1)
        lines = content.decode("ascii").splitlines()
    except OSError as error:
        raise Invalid(f"The header file {path} cannot be read: {error.strerror}.", field="header_file") from error
    except UnicodeDecodeError:
        raise Invalid(f"The header file {path} has characters that are not ASCII.", field="header_file") from None
    if len(content) > HEADER_FILE_BYTES_MAX:
        text = f"The header file {path} is larger than {HEADER_FILE_BYTES_MAX:,} bytes."
        raise Invalid(text, field="header_file")
    return [_header_of_line(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]


def _header_of_line(path: Path, number: int, line: str) -> tuple[str, str]:
    try:
        return header_from(line)
    except Invalid as refused:
        raise Invalid(f"Line {number} of {path}: {refused.reason}", field="header_file") from None


def hide_header_values(headers: Iterable[tuple[str, str]]) -> None:
    """Mask the values of headers that may be secrets, and the words of these values, in all messages."""
    for name, value in headers:
        if name.lower() not in PUBLIC_HEADERS:
            hide_secrets(value, *value.split())


def check_public_headers(headers: Iterable[tuple[str, str]]) -> None:
    """Raise Invalid for a header whose value may be a secret, and for an invalid header."""
    for name, value in headers:
        header_from(f"{name}: {value}")
        if name.lower() not in PUBLIC_HEADERS or mask(value) != value:
            names = ", ".join(sorted(PUBLIC_HEADERS))
            text = (
                f"The value of the header {name} may be a secret. Workers store plans where others can read them, so "
                f"they send only {names}. For other headers, run `weighbridge load` on one machine, which stores no "
                "values."
            )
            raise Invalid(text, code="secret_header", field="header")


def read_bodies(path: Path) -> list[bytes]:
    """Return the bodies of a file; raise Invalid if there are none, or if the file is too large."""
    try:
        if path.suffix != FILLED and path.stat().st_size > BODY_BYTES_MAX:
            raise Invalid(f"The body file is larger than {BODY_BYTES_MAX:,} bytes; use fewer bodies.", field="body")
        bodies = _read(path)
    except OSError as error:
        raise Invalid(f"The body file {path.name} cannot be read: {error.strerror}.", field="body") from error
    if not bodies:
        raise Invalid(f"The body file {path.name} contains no body.", field="body")
    return bodies


def write_bodies(path: Path, bodies: Sequence[bytes]) -> None:
    """Write bodies to a file that ends in `FILLED`; `read_bodies` reads them. Raises OSError."""
    ends = np.cumsum([len(body) for body in bodies])
    with path.open("wb") as file:
        np.savez(file, content=np.frombuffer(b"".join(bodies), dtype=np.uint8), ends=ends)


def _authority(target: PinnedAddress) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if PORTS[target.scheme] == target.port else f"{host}:{target.port}"


def _pseudo_headers(plan: LoadPlan, target: PinnedAddress) -> list[tuple[str, str]]:
    values = {"method": plan.method, "scheme": target.scheme, "authority": _authority(target), "path": target.path}
    return [(f":{name}", value) for name, value in values.items()]


def _headers(plan: LoadPlan) -> list[tuple[str, str]]:
    """Return the headers of the plan, and the usual ones that it does not have."""
    usual = {"User-Agent": USER_AGENT, "Accept": "*/*"}
    if plan.chat is not None:
        usual |= {"Content-Type": "application/json", "Accept": "text/event-stream"}
    elif plan.body:
        is_json = Path(plan.body_name).suffix in {".json", ".jsonl", ".npz"}
        usual["Content-Type"] = "application/json" if is_json else "application/octet-stream"
    given = {name.lower() for name, _ in plan.headers}
    return [*plan.headers, *((name, value) for name, value in usual.items() if name.lower() not in given)]


def _head(plan: LoadPlan, target: PinnedAddress) -> bytes:
    lines = [f"{plan.method} {target.path} HTTP/1.1", f"Host: {_authority(target)}"]
    lines += [f"{name}: {value}" for name, value in _headers(plan)]
    return ("\r\n".join(lines) + "\r\n").encode("ascii")


def _read(path: Path) -> list[bytes]:
    if path.suffix == FILLED:
        return _filled(path)
    if path.suffix == ".jsonl":
        return _lines(path.read_bytes().splitlines())
    return _rows(path) if path.suffix == ".npz" else [path.read_bytes()]


def _filled(path: Path) -> list[bytes]:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        content, ends = arrays["content"].tobytes(), [0, *arrays["ends"].tolist()]
    return [content[start:end] for start, end in itertools.pairwise(ends)]


def _lines(lines: Iterable[bytes]) -> list[bytes]:
    bodies = [line.strip() for line in lines if line.strip()]
    for number, body in enumerate(bodies, 1):
        parse_json(body, name=f"Body {number} of the body file", field="body", limits=MEASUREMENT)
    return bodies[:BODIES_MAX]


def _rows(path: Path) -> list[bytes]:
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            rows = arrays["x"][:BODIES_MAX]
            return [json.dumps({"instances": [row.tolist()]}).encode() for row in rows]
    except (ValueError, TypeError, KeyError, IndexError, EOFError, zipfile.BadZipFile) as error:
        raise Invalid("The .npz file of bodies must contain an array x of shape (rows, ...).", field="body") from error
