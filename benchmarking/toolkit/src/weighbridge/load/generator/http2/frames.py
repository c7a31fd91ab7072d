"""Frames of HTTP/2 (RFC 9113, sections 4 and 6).

The library h2 would need a multiple of the processor time for each request, and it ends the streams that a target still
answers after it announced the end of a connection.
"""

import struct
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEAD_BYTES = 9
# The largest payload that everybody accepts without asking, and that the generator accepts.
FRAME_BYTES = 16_384
HEADERS_MAX = 65_536
WINDOW_MAX = 2**31 - 1
FIRST_WINDOW = 65_535
END_STREAM = ACK = 0x1
END_HEADERS, PADDED, HAS_PRIORITY = 0x4, 0x8, 0x20
PRIORITY_BYTES = 5


class Kind(IntEnum):
    """The types of frames."""

    DATA = 0
    HEADERS = 1
    PRIORITY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PUSH_PROMISE = 5
    PING = 6
    GOAWAY = 7
    WINDOW_UPDATE = 8
    CONTINUATION = 9


class Setting(IntEnum):
    """The settings that the generator reads or sends."""

    ENABLE_PUSH = 2
    MAX_CONCURRENT_STREAMS = 3
    INITIAL_WINDOW_SIZE = 4
    MAX_FRAME_SIZE = 5


class ErrorCode(IntEnum):
    """Why a stream or a connection ended."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    SETTINGS_TIMEOUT = 4
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    CONNECT_ERROR = 10
    ENHANCE_YOUR_CALM = 11
    INADEQUATE_SECURITY = 12
    HTTP_1_1_REQUIRED = 13


class FrameError(ValueError):
    """What the target sent is not HTTP/2."""


class Frame(NamedTuple):
    """One frame; `stream` 0 is the connection."""

    kind: int
    flags: int
    stream: int
    payload: bytes

    @property
    def content(self) -> bytes:
        """The payload without padding and priority; raises FrameError."""
        payload, padding = self.payload, 0
        if self.flags & PADDED:
            if not payload:
                raise FrameError("a padded frame is empty")
            padding, payload = payload[0], payload[1:]
        if self.kind == Kind.HEADERS and self.flags & HAS_PRIORITY:
            if len(payload) < PRIORITY_BYTES:
                raise FrameError("a frame is too short for its priority")
            payload = payload[PRIORITY_BYTES:]
        if padding > len(payload):
            raise FrameError("the padding of a frame is longer than the frame")
        return payload[: len(payload) - padding]

    @property
    def ends_stream(self) -> bool:
        """Whether this is the last frame of an answer."""
        return bool(self.flags & END_STREAM)

    def numbers(self, form: str) -> tuple[int, ...]:
        """Return the numbers at the beginning of the payload; raise FrameError if it is too short."""
        try:
            return struct.unpack_from(form, self.payload)
        except struct.error as error:
            raise FrameError(f"a {Kind(self.kind).name} frame is too short") from error


def frame_bytes(kind: Kind, *, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    """Return a frame as it is sent."""
    size = len(payload)
    return struct.pack(">BHBBL", size >> 16, size & 0xFFFF, kind, flags, stream) + payload


def settings_bytes(settings: dict[Setting, int]) -> bytes:
    """Return a frame of settings."""
    payload = b"".join(struct.pack(">HL", name, value) for name, value in settings.items())
    return frame_bytes(Kind.SETTINGS, payload=payload)


def window_bytes(grown: int) -> bytes:
    """Return a frame that lets the target send so many more bytes on the connection."""
    return frame_bytes(Kind.WINDOW_UPDATE, payload=struct.pack(">L", grown))


def settings_of(frame: Frame) -> dict[int, int]:
    """Return the settings of a frame; raise FrameError for another length than theirs."""
    if len(frame.payload) % 6:
        raise FrameError("a SETTINGS frame has a wrong length")
    return dict(struct.iter_unpack(">HL", frame.payload))


def headers_bytes(block: bytes, *, stream: int, ends_stream: bool) -> bytes:
    """Return a block of compressed headers as one frame, and frames that continue it if it is long."""
    first, rest = block[:FRAME_BYTES], block[FRAME_BYTES:]
    flags = (END_STREAM if ends_stream else 0) | (0 if rest else END_HEADERS)
    frames = [frame_bytes(Kind.HEADERS, flags=flags, stream=stream, payload=first)]
    while rest:
        part, rest = rest[:FRAME_BYTES], rest[FRAME_BYTES:]
        flags = 0 if rest else END_HEADERS
        frames.append(frame_bytes(Kind.CONTINUATION, flags=flags, stream=stream, payload=part))
    return b"".join(frames)


def name_of(code: int) -> str:
    """Return the name of an error code, or its number."""
    return ErrorCode(code).name if code in set(ErrorCode) else f"error {code}"


class FrameReader:
    """Cuts what arrives into frames; headers in several frames become one."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._rest = bytearray()
        self._begun: Frame | None = None

    def frames(self, data: bytes) -> Iterator[Frame]:
        """Yield the frames that are complete; raise FrameError for one that is too long or out of place."""
        self._rest += data
        while len(self._rest) >= HEAD_BYTES:
            high, low, kind, flags, stream = struct.unpack_from(">BHBBL", self._rest)
            size = (high << 16) + low
            if size > FRAME_BYTES:
                raise FrameError(f"a frame has {size:,} bytes, but at most {FRAME_BYTES:,} were allowed")
            if len(self._rest) < HEAD_BYTES + size:
                return
            payload = bytes(self._rest[HEAD_BYTES : HEAD_BYTES + size])
            del self._rest[: HEAD_BYTES + size]
            yield from self._joined(Frame(kind, flags, stream & WINDOW_MAX, payload))

    def _joined(self, frame: Frame) -> Iterator[Frame]:
        if self._begun is not None:
            frame = self._continued(self._begun, frame)
        elif frame.kind == Kind.CONTINUATION:
            raise FrameError("a frame continues nothing")
        is_begun = frame.kind == Kind.HEADERS and not frame.flags & END_HEADERS
        self._begun = frame if is_begun else None
        if not is_begun:
            yield frame

    @staticmethod
    def _continued(begun: Frame, frame: Frame) -> Frame:
        if frame.kind != Kind.CONTINUATION or frame.stream != begun.stream:
            raise FrameError("another frame interrupts headers")
        if len(begun.payload) + len(frame.payload) > HEADERS_MAX:
            raise FrameError(f"headers have more than {HEADERS_MAX:,} bytes")
        payload, flags = begun.content + frame.payload, begun.flags & END_STREAM | frame.flags & END_HEADERS
        return Frame(begun.kind, flags, begun.stream, payload)
