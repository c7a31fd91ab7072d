"""Detects the kind of a bill file from its content, decompresses it with limits, and detects truncated files.

A file whose extension does not match its content is rejected, because the sender made a mistake.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from weighbridge.core.errors import Invalid, TooLarge

GZIP_MARK, PARQUET_MARK, ZIP_MARK = b"\x1f\x8b", b"PAR1", b"PK\x03\x04"
CHUNK_BYTES, TAIL_BYTES, HEAD_BYTES = 1 << 20, 1 << 16, 1 << 16
DELIMITERS = ",;\t|"
TAIL_STARTS_MAX = 50


class FileKind(StrEnum):
    """The file formats of bills."""

    CSV = "csv"
    GZIP = "csv.gz"
    PARQUET = "parquet"


@dataclass(frozen=True)
class UnpackLimits:
    """Limits for decompression: total bytes, and bytes for each compressed byte (deflate can reach 1,032)."""

    plain_bytes: int = 40 * 10**9
    ratio: int = 200
    rows: int = 60_000_000


def bad_file(code: str, reason: str) -> Invalid:
    """The refusal of a file that cannot be read."""
    return Invalid(reason, field="file", code=code)


def kind_of(path: Path, *, name: str) -> FileKind:
    """The kind by the first bytes. Raises Invalid for another format, or an extension that does not match."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    detected = _kind_by(head)
    expected = _kind_of_extension(name)
    if expected is not None and expected is not detected:
        raise bad_file(
            "mislabeled",
            f"The name {name!r} says {expected}, but the content is {detected}. Send it with the right extension.",
        )
    return detected


def _kind_by(head: bytes) -> FileKind:
    if head.startswith(GZIP_MARK):
        return FileKind.GZIP
    if head.startswith(PARQUET_MARK):
        return FileKind.PARQUET
    if head.startswith(ZIP_MARK):
        reason = "This is a ZIP archive or a spreadsheet. Send the CSV, CSV.gz or Parquet file itself."
        raise bad_file("mislabeled", reason)
    if b"\0" in head:
        reason = "This is neither UTF-8 text nor gzip nor Parquet. Send a CSV in UTF-8, a CSV.gz or a Parquet file."
        raise bad_file("mislabeled", reason)
    return FileKind.CSV


def _kind_of_extension(name: str) -> FileKind | None:
    low = name.lower()
    if low.endswith((".gz", ".gzip")):
        return FileKind.GZIP
    return next((kind for kind in (FileKind.CSV, FileKind.PARQUET) if low.endswith(f".{kind}")), None)


def decompress(
    path: Path,
    *,
    kind: FileKind,
    folder: Path,
    caps: UnpackLimits,
    on_bytes: Callable[[int], None] = lambda _: None,
    is_table: bool = True,
) -> Path:
    """The decompressed file. Raises Invalid if it is truncated or damaged, TooLarge above the limits.

    Text that is no table (`is_table`) is not checked here.
    """
    if kind is FileKind.PARQUET:
        _check_parquet(path)
        return path
    unpacked = _unpack(path, folder / "bill.csv", caps, on_bytes) if kind is FileKind.GZIP else path
    if is_table:
        _check_csv(unpacked)
    return unpacked


def _unpack(path: Path, target: Path, caps: UnpackLimits, on_bytes: Callable[[int], None]) -> Path:
    packed, size = path.stat().st_size, 0
    try:
        with gzip.open(path, "rb") as source, target.open("wb") as out:
            while chunk := source.read(CHUNK_BYTES):
                size += len(chunk)
                _check_caps(size, packed, caps)
                out.write(chunk)
                on_bytes(size)
    except EOFError as error:
        raise bad_file("truncated", "The gzip file is incomplete. Send it again.") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise bad_file("damaged", f"The gzip file is damaged ({error}). Send it again.") from error
    return target


def _check_caps(size: int, packed: int, caps: UnpackLimits) -> None:
    if size > caps.plain_bytes:
        raise TooLarge(
            f"The file unpacks to more than the {caps.plain_bytes // 10**9} GB allowed. Split it by billing period.",
            field="file",
        )
    if size > CHUNK_BYTES and size > packed * caps.ratio:
        raise TooLarge(
            f"The file unpacks to more than {caps.ratio} times its size, which is not plausible for a bill. "
            "Send the CSV without compression.",
            field="file",
            code="bomb",
        )


def _check_parquet(path: Path) -> None:
    tail = _tail(path)
    if len(tail) < 3 * len(PARQUET_MARK) or not tail.endswith(PARQUET_MARK):
        raise bad_file("truncated", "The Parquet file is incomplete. Send it again.")


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL_BYTES))
        return file.read()


def header_of(path: Path, *, kind: FileKind = FileKind.CSV) -> tuple[list[str], str]:
    """The header of a CSV file, compressed or not, and its delimiter. Raises Invalid if there is no header."""
    try:
        with gzip.open(path, "rb") if kind is FileKind.GZIP else path.open("rb") as file:
            line = file.readline(HEAD_BYTES)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise bad_file("damaged", f"The gzip file is damaged ({error}). Send it again.") from error
    try:
        text = line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise bad_file("encoding", "The header is not UTF-8 text. Export the bill in UTF-8.") from error
    delimiter = max(DELIMITERS, key=text.count)
    names = next(csv.reader([text], delimiter=delimiter), [])
    if len(names) < 2:
        reason = "The first line is not a CSV header, because it has no columns."
        raise bad_file("columns", f"{reason} The first line must contain the column names.")
    return [name.strip() for name in names], delimiter


def _check_csv(path: Path) -> None:
    """Raise Invalid for a truncated CSV file. Without a line feed at the end, the last record must have all columns."""
    names, delimiter = header_of(path)
    tail = _tail(path)
    if not tail.endswith((b"\n", b"\r")) and not _ends_whole(tail, len(names), delimiter):
        raise bad_file("truncated", "The file is incomplete: it ends in the middle of a row. Send it again.")


def _ends_whole(tail: bytes, columns: int, delimiter: str) -> bool:
    """Whether the tail ends with a record with all columns. A record may contain line feeds inside quotes."""
    end = len(tail)
    for _ in range(TAIL_STARTS_MAX):
        start = tail.rfind(b"\n", 0, end)
        record = tail[start + 1 :].decode("utf-8", "replace")
        rows = list(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter))
        if record.count('"') % 2 == 0 and [len(row) for row in rows] == [columns]:
            return True
        if start < 0:
            break
        end = start
    return False
