"""Requests of HTTP/2 as they are sent: their headers are compressed once, without a table, for every stream."""

from collections.abc import Iterable
from typing import NamedTuple

from weighbridge.core.errors import Invalid
from weighbridge.core.extras import import_extra

# RFC 9113, section 8.2.2; the generator refuses others of them for HTTP/1.1, too.
FORBIDDEN = ("keep-alive", "proxy-connection")


class Http2Request(NamedTuple):
    """The compressed headers and the body of a request."""

    headers: bytes
    body: bytes


class RequestMaker:
    """Makes requests that differ in their bodies."""

    def __init__(self, pseudo: Iterable[tuple[str, str]], headers: Iterable[tuple[str, str]]) -> None:
        """Compress pseudo-headers (`:method`, …) and headers; raise Invalid for forbidden ones, and ExtraMissing."""
        self._hpack, named = import_extra("hpack"), [(name.lower(), value) for name, value in headers]
        for name, value in named:
            if name in FORBIDDEN or (name == "te" and value.lower() != "trailers"):
                raise Invalid(f"HTTP/2 has no such header {name}; remove it.", field="header")
        self._headers = self._compressed([*pseudo, *named])

    def request(self, body: bytes, *, has_length: bool) -> Http2Request:
        """Return a request with a body, and with its length if it `has_length`."""
        length = self._compressed([("content-length", str(len(body)))]) if has_length else b""
        return Http2Request(self._headers + length, body)

    def _compressed(self, headers: list[tuple[str, str]]) -> bytes:
        # Headers that are never indexed change no table of the target, and may be secrets.
        fields = [self._hpack.NeverIndexedHeaderTuple(name, value) for name, value in headers]
        encoded: bytes = self._hpack.Encoder().encode(fields)
        return encoded
