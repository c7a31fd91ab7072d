"""A server that answers as an attacker would: too much, too deep, too slow, or not at all what was asked for."""

import contextlib
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping

Answer = Callable[[socket.socket], None]
SECONDS_MAX = 20.0
GIGABYTES = 6


def whole(body: bytes, *, status: str = "200 OK", **headers: str) -> Answer:
    """An answer that is complete, in whatever form."""
    named = {"Content-Type": "application/json", "Content-Length": str(len(body))} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items() if value)
    return raw(f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body)


def raw(content: bytes) -> Answer:
    """Exactly these bytes."""
    return lambda client: client.sendall(content)


def slowly(begin: bytes, drop: bytes) -> Answer:
    """These bytes, then the same few again and again with a pause between."""

    def answer(client: socket.socket) -> None:
        client.sendall(begin)
        for _ in range(int(SECONDS_MAX / 0.1)):
            client.sendall(drop)
            time.sleep(0.1)

    return answer


def without_end(begin: bytes, part: bytes) -> Answer:
    """These bytes, then the same many again and again, up to six gigabytes."""

    def answer(client: socket.socket) -> None:
        client.sendall(begin)
        for _ in range(GIGABYTES * 10**9 // len(part)):
            client.sendall(part)

    return answer


def unpacking(layers: int = 1) -> Answer:
    """Six gigabytes of zeros, packed into six megabytes; each layer packs them once more."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = zlib.compressobj(9, zlib.DEFLATED, -15)
    repeated = block.compress(bytes(1 << 20)) + block.flush(zlib.Z_FULL_FLUSH)
    content = packed + repeated * (GIGABYTES * 1000)
    for _ in range(layers - 1):
        again = zlib.compressobj(9, zlib.DEFLATED, 31)
        content = again.compress(content) + again.flush()
    encoding = ", ".join(["gzip"] * layers)
    return whole(content, Content_Encoding=encoding)


OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
ANSWERS: Mapping[str, Answer] = {
    "100,000 lists in each other": whole(b"[" * 100_000),
    "100,000 complete lists in each other": whole(b"[" * 100_000 + b"]" * 100_000),
    "100,000 objects in each other": whole(b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "a refusal of 100,000 lists": whole(b"[" * 100_000, status="400 Bad Request"),
    "a refusal that is a number": whole(b"5", status="503 Service Unavailable"),
    "a refusal with messages of another form": whole(b'{"errorMessages": 5, "errors": [[]]}', status="400 Bad Request"),
    "a refusal without end": without_end(b"HTTP/1.1 500 No\r\nContent-Type: text/html\r\n\r\n", b"x" * (1 << 20)),
    "a wait of ages": whole(b"{}", status="429 Slow", Retry_After="9" * 4_000),
    "a wait until the year 9999": whole(b"{}", status="429 Slow", Retry_After="Fri, 31 Dec 9999 23:59:59 GMT"),
    "six gigabytes packed": unpacking(),
    "six gigabytes packed three times": unpacking(3),
    "damaged packing": whole(b"\x1f\x8b not packed", Content_Encoding="gzip"),
    "an unknown packing": whole(b"\x00\x01\x02", Content_Encoding="secret"),
    "a body of ten bytes a second": slowly(OK + b"Content-Length: 1000000\r\n\r\n", b" "),
    "headers of ten bytes a second": slowly(OK + b"X-Slow: ", b"x"),
    "header after header": slowly(OK, b"X-Slow: x\r\n"),
    "a status line without end": without_end(b"HTTP/1.1 200 ", b"x" * (1 << 20)),
    "a header without end": without_end(OK + b"X-Long: ", b"x" * (1 << 20)),
    "ten thousand headers": raw(OK + b"X: y\r\n" * 10_000 + b"\r\n{}"),
    "continue, continue": without_end(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000),
    "a body without end": without_end(OK + b"\r\n", b" " * (1 << 20)),
    "chunks without end": without_end(CHUNKED, b"100000\r\n" + b" " * (1 << 20) + b"\r\n"),
    "a chunk of negative size": without_end(CHUNKED + b"-1\r\n", b" " * (1 << 20)),
    "a chunk of no size": raw(CHUNKED + b"many\r\n{}\r\n0\r\n\r\n"),
    "a chunk of 4,000 digits": raw(CHUNKED + b"f" * 4_000 + b"\r\n{}"),
    "a negative length": whole(b"nothing", Content_Length="-1"),
    "a length that is none": whole(b"nothing", Content_Length="soon"),
    "a length of petabytes": whole(b"{", Content_Length=str(10**15)),
    "two lengths": raw(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n[]"),
    "truncated": whole(b'{"id": "10001", "fie', Content_Length="5000"),
    "a redirect to elsewhere": whole(b"", status="302 Found", Location="http://127.0.0.1:9/elsewhere"),
    "a redirect to itself": whole(b"", status="307 Again", Location="/"),
    "a page to log in": whole(b"<html><form>Log in</form></html>", Content_Type="text/html; charset=zlib"),
    "text that is no UTF-8": whole(b'{"name": "\xff\xfe"}'),
    "a list": whole(b"[]"),
    "a list of lists": whole(b"[[], {}, null]"),
    "a number": whole(b"7"),
    "nothing": whole(b"null"),
    "a text": whole(b'"Jira"'),
    "NaN": whole(b'{"id": NaN}'),
    "a key twice": whole(b'{"id": "1", "id": "2"}'),
    "a number of 5,000 digits": whole(b'{"id": ' + b"9" * 5_000 + b"}"),
    "an overflow": whole(b'{"total": 1e999}'),
    "more than a million values": whole(b"[" + b"0," * 1_200_000 + b"0]"),
    "no HTTP": raw(b"SSH-2.0-OpenSSH_9.9\r\n"),
    "binary": raw(bytes(range(256)) * 100),
    "no answer": lambda client: None,
}
"""Answers by what is wrong with them. No program should take one of them for an answer."""


def odd(document: object) -> Answer:
    """A document of a form that nobody asked for."""
    return whole(json.dumps(document).encode())


@contextlib.contextmanager
def serving(answer: Answer, *, first: Mapping[str, bytes] | None = None) -> Iterator[str]:
    """The address of a server that gives this answer to every request; `first` are right answers, by path."""
    right = first or {}
    with socket.create_server(("127.0.0.1", 0)) as server:
        accepting = threading.Thread(target=_accept, args=(server, answer, right), daemon=True)
        accepting.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            accepting.join(timeout=5)


def _accept(server: socket.socket, answer: Answer, right: Mapping[str, bytes]) -> None:
    while True:
        try:
            client, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(client, answer, right), daemon=True).start()


def _answer(client: socket.socket, answer: Answer, right: Mapping[str, bytes]) -> None:
    with client, contextlib.suppress(OSError):
        while request := client.recv(1 << 16):
            path = request.split(b" ", 2)[1].decode().partition("?")[0] if request.count(b" ") > 1 else ""
            if path in right:
                whole(right[path])(client)
                continue
            answer(client)
            return
