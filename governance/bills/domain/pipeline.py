"""One file from its first byte to its report: unpacked, found whole, read, added up; progress told on the way."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from governance.bills.domain.aggregation import Gathered, gather
from governance.bills.domain.file_kind import HEAD_BYTES, FileKind, UnpackLimits, header_of, kind_of, plain
from governance.bills.domain.reading import open_source
from governance.bills.domain.report import report_of
from governance.bills.domain.scheduler import Scheduler, check_header, gather_usage
from weighbridge.core.errors import Invalid, TooLarge

OnShare = Callable[[float, str], None]
UNPACKED_SHARE = 0.3
FOCUS = "focus"


@dataclass(frozen=True)
class IngestOrder:
    """A file to read: the name it was sent under, what it is (`focus` or a scheduler), and the cluster it speaks of."""

    name: str
    kind: str = FOCUS
    cluster: str = ""


def peek(path: Path, order: IngestOrder) -> None:
    """Raise Invalid where the first bytes already show that the file is not what it should be."""
    kind = kind_of(path, name=order.name)
    if order.kind == FOCUS:
        open_source(path, kind=kind)
        return
    _check_text(kind)
    check_header(header_of(path, kind=kind)[0], scheduler=Scheduler(order.kind))


def read_bill(
    path: Path, order: IngestOrder, *, folder: Path, caps: UnpackLimits, on_share: OnShare
) -> tuple[Gathered, dict[str, Any]]:
    """The file added up, and its report. `on_share` hears a share from 0 to 1 and a phase, and may raise to stop.

    Raises Invalid or TooLarge with a reason where the file cannot be counted as a whole. `folder` takes what is
    unpacked.
    """
    kind = kind_of(path, name=order.name)
    size = max(path.stat().st_size, 1)
    unpacked = plain(
        path,
        kind=kind,
        folder=folder,
        caps=caps,
        on_bytes=lambda done: on_share(UNPACKED_SHARE * done / (done + 4 * size), "unpacking"),
    )
    kind = FileKind.CSV if kind is FileKind.GZIP else kind
    heard = RowCounter(rows_estimated(unpacked, kind=kind), caps, on_share)
    if order.kind == FOCUS:
        source = open_source(unpacked, kind=kind)
        gathered = gather(source, on_rows=heard)
        return gathered, report_of(gathered, source.header)
    _check_text(kind)
    gathered = gather_usage(unpacked, scheduler=Scheduler(order.kind), cluster=order.cluster, on_rows=heard)
    return gathered, report_of(gathered)


def rows_estimated(path: Path, *, kind: FileKind) -> int:
    """About how many rows an unpacked file has: exactly for Parquet, from the length of its first rows for CSV."""
    import polars as pl

    if kind is FileKind.PARQUET:
        return int(pl.scan_parquet(path).select(pl.len()).collect().item())
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    return max(1, path.stat().st_size * head.count(b"\n") // max(len(head), 1))


class RowCounter:
    """Adds up rows and tells the share; refuses a file that goes on and on."""

    def __init__(self, estimated: int, caps: UnpackLimits, on_share: OnShare) -> None:
        """No row yet of about `estimated`."""
        self.rows, self.estimated, self.caps, self.on_share = 0, estimated, caps, on_share

    def __call__(self, rows: int) -> None:
        """Hear of `rows` more, in whichever thread; raises TooLarge past the cap."""
        self.rows += rows
        if self.rows > self.caps.rows:
            raise TooLarge(
                f"The file has more than the {self.caps.rows:,} rows read here; split it by billing period.",
                field="file",
            )
        share = min(self.rows / max(self.estimated, self.rows), 1.0)
        self.on_share(UNPACKED_SHARE + (0.9 - UNPACKED_SHARE) * share, f"{self.rows:,} rows read")


def _check_text(kind: FileKind) -> None:
    if kind is FileKind.PARQUET:
        raise Invalid("Accounting of a scheduler is read from CSV, not from Parquet.", field="file", code="mislabeled")
