"""An answer on a stream of HTTP/2, as far as it has arrived."""

import dataclasses
from collections.abc import Sequence

from weighbridge.load.generator.answers import STREAM_TYPES, comes_in_bits

NO_BODY = (204, 304)
Fields = Sequence[tuple[bytes, bytes]]


@dataclasses.dataclass(slots=True)
class StreamAnswer:
    """One request on a stream, its answer, and the part of the request that the target does not accept yet.

    `window` is how many bytes the target accepts on the stream, `received` the size of the answer with its compressed
    headers, `size` that of its body, which is stored if it is checked (`keeps_body`).
    """

    request: int
    keeps_body: bool
    sent_at_ns: int
    unsent: memoryview
    window: int
    status: int = 0
    media_type: bytes = b""
    length: int | None = None
    grpc_status: bytes = b""
    received: int = 0
    size: int = 0
    parts: int = 0
    body: bytearray = dataclasses.field(default_factory=bytearray)

    def read_fields(self, fields: Fields) -> str:
        """Read headers, or trailers after them; return what is wrong, empty if nothing is."""
        named = dict(fields)
        self.grpc_status = named.get(b"grpc-status", self.grpc_status)
        if self.status >= 200:
            return ""
        status, length = named.get(b":status", b""), named.get(b"content-length", b"")
        if not (status.isdigit() and len(status) == 3) or (length and not length.isdigit()):
            return "the answer has no valid headers"
        self.status, self.media_type = int(status), named.get(b"content-type", b"")
        self.length = int(length) if length else None
        return ""

    def read_body(self, content: bytes) -> str:
        """Read part of the body; return what is wrong."""
        if self.status < 200:
            return "the answer has a body before its headers"
        self.size += len(content)
        self.parts += 1
        if self.keeps_body:
            self.body += content
        return ""

    def complaint_at_end(self) -> str:
        """Return why the whole answer is not valid, empty if it is."""
        if self.status < 200:
            return "the answer ended before its headers"
        is_empty = self.status in NO_BODY and not self.size
        if self.length is not None and self.length != self.size and not is_empty:
            return f"the body has {self.size:,} bytes, but its headers announced {self.length:,}"
        return ""

    @property
    def is_streamed(self) -> bool:
        """Whether the answer was written bit by bit."""
        is_in_bits = self.length is None and comes_in_bits(reads=self.parts, size=self.size)
        return bool(STREAM_TYPES.match(self.media_type)) or is_in_bits
