"""Counting tokens by the server that is tested, or by a file of the package tokenizers: a check on its own counts."""

import contextlib
import http.client
import json
import socket
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path

from weighbridge.core.addresses import PinnedAddress
from weighbridge.core.errors import Invalid, Refused
from weighbridge.core.extras import import_extra
from weighbridge.core.masking import mask
from weighbridge.core.parsing.http_answers import body_of, bounded
from weighbridge.core.parsing.json_text import parse_json
from weighbridge.core.parsing.limits import MEASUREMENT

SERVER = "server"
PATH = "/tokenize"
TIMEOUT_S = 10.0
ANSWER_BYTES = 20_000_000
# Each is a call to the server.
MOST_OF_SERVER, MOST_OF_FILE = 500, 100_000

Count = Callable[[str], int]


def check_tokenizer(name: str) -> None:
    """Raise Invalid unless `name` is "server", empty, or a file that can be read; ExtraMissing without tokenizers."""
    if name and name != SERVER:
        count_of_file(Path(name))


def count_of_file(path: Path) -> Count:
    """Return what counts the tokens of a text by a `tokenizer.json`; raise Invalid for another file."""
    library = import_extra("tokenizers")
    try:
        tokenizer = library.Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises plain exceptions only
        text = f"{path.name} is not a file of the package tokenizers (tokenizer.json): {str(error)[:200]}"
        raise Invalid(text, field="tokenizer") from error
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def count_of_server(target: PinnedAddress, headers: Sequence[tuple[str, str]], tls: ssl.SSLContext | None) -> Count:
    """Return what asks the tested server (`/tokenize`, as llama.cpp and vLLM have it); it raises Invalid if it cannot.

    vLLM reads `prompt`, llama.cpp `content`; both are sent.
    """
    json_type = {"Content-Type": "application/json"}

    def count(text: str) -> int:
        body = {"content": text, "prompt": text, "add_special": False, "add_special_tokens": False}
        try:
            answer = _asked(target, tls, json.dumps(body | {"parse_special": True}), {**dict(headers), **json_type})
            tokens = parse_json(answer, limits=MEASUREMENT)["tokens"]
            return len(tokens)
        except (OSError, http.client.HTTPException, Refused, ValueError, KeyError, TypeError) as error:
            why = mask(str(error))[:200]
            text_of_error = f"The server counts no tokens at {PATH}: {why}. Give the file of a tokenizer (--tokenizer)."
            raise Invalid(text_of_error, field="tokenizer") from error

    return count


def _asked(target: PinnedAddress, tls: ssl.SSLContext | None, body: str, headers: dict[str, str]) -> bytes:
    connection = http.client.HTTPConnection(target.host, target.port, timeout=TIMEOUT_S)
    connection.response_class = bounded(total_s=TIMEOUT_S, bytes_max=ANSWER_BYTES)  # type: ignore[assignment]  # called alike
    plain = socket.create_connection((target.address, target.port), timeout=TIMEOUT_S)
    connection.sock = plain if tls is None else tls.wrap_socket(plain, server_hostname=target.host)
    with contextlib.closing(connection):
        connection.request("POST", PATH, body=body.encode(), headers=headers)
        answer = connection.getresponse()
        content = body_of(answer, bytes_max=ANSWER_BYTES)
        if answer.status != http.client.OK:
            raise ValueError(f"it answers {answer.status}")
        return content
