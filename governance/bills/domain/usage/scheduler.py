"""GPU hours from scheduler accounting: a CSV of Slurm's `sacct`, or of the GPU use of a Kubernetes cluster.

Each row becomes a line without cost, so that the same allocation rules apply: the account or namespace is the
sub-account, the kind of GPU is the SKU, and labels and job fields are tags. A row must be within one month, because
months are replaced as a whole.
"""

import csv
import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation
from enum import StrEnum
from pathlib import Path
from typing import Any

import polars as pl

from governance.bills.domain.aggregation import (
    EXAMPLES_MAX,
    LINE,
    SUMS,
    VALUE_CHARS_MAX,
    AggregatedBill,
    OnRows,
    Refusal,
)
from governance.bills.domain.file_kind import bad_file, header_of
from governance.bills.domain.quantities.tokens import TOKEN_TEXTS
from governance.bills.domain.tags import canonical
from governance.budgets.domain.quarters import next_month
from weighbridge.core.parsing.json_text import parse_json


class Scheduler(StrEnum):
    """The schedulers with supported accounting files."""

    SLURM = "slurm"
    KUBERNETES = "kubernetes"


NEEDED = {
    Scheduler.SLURM: ("JobID", "Account", "Start", "ElapsedRaw", "AllocTRES"),
    Scheduler.KUBERNETES: ("namespace", "start", "end", "gpus"),
}
SECONDS, PLACES = Decimal(3600), Decimal("1e-12")
BATCH_ROWS = 10_000
REASONS = {
    "time_unreadable": "its start or end is not a time like 2026-09-01T00:00:00",
    "duration_unreadable": "ElapsedRaw must be whole seconds, and the end must not be before the start",
    "gpus_unreadable": "the number of GPUs must be a number of zero or more",
    "crosses_months": "its time must be within one month: export one month at a time, truncated to that month "
    "(sacct --truncate)",
}
Row = Mapping[str, str]


@dataclass(frozen=True)
class _Use:
    start: datetime
    seconds: Decimal
    gpus: Decimal
    subaccount: str
    sku: str
    tags: str
    cluster: str


class _Refuse(Exception):  # noqa: N818 -- a row's refusal, caught below
    pass


def aggregate_usage(
    path: Path, *, scheduler: Scheduler, cluster: str, on_rows: OnRows = lambda _: None
) -> AggregatedBill:
    """Read and aggregate accounting data of the cluster `cluster`. Raises Invalid for an invalid header."""
    names, delimiter = header_of(path)
    check_header(names, scheduler=scheduler)
    sums: dict[tuple[object, ...], list[Decimal | int]] = defaultdict(lambda: [0, Decimal(0)])
    refused: dict[str, list[str]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    read = 0
    for number, row in _rows(path, delimiter, on_rows):
        read += 1
        try:
            use = _READERS[scheduler](row)
        except _Refuse as refusal:
            reason = str(refusal)
            counts[reason] += 1
            if len(refused[reason]) < EXAMPLES_MAX:
                refused[reason].append(_example(number, row, scheduler))
            continue
        if use is not None:
            total = sums[_key(use, scheduler, cluster)]
            total[0] += 1
            total[1] += use.gpus * use.seconds / SECONDS
    refusals = tuple(
        Refusal(name, text, counts[name], tuple(refused[name])) for name, text in REASONS.items() if counts[name]
    )
    return AggregatedBill(
        _frame(sums), read, refusals, has_zoneless_times=True, rows_with_unreadable_tags=0, set_aside={}
    )


def check_header(names: Sequence[str], *, scheduler: Scheduler) -> None:
    """Raise Invalid if columns are missing that the accounting of this scheduler needs."""
    lacking = [name for name in NEEDED[scheduler] if name not in names]
    if lacking:
        needed = ", ".join(NEEDED[scheduler])
        reason = f"these columns are missing: {', '.join(lacking)}. Required are {needed}."
        raise bad_file("columns", f"This is not accounting of {scheduler}, because {reason}")


def _rows(path: Path, delimiter: str, on_rows: OnRows) -> Iterator[tuple[int, Row]]:
    """Rows with their numbers, without job steps, which repeat their job."""
    pending = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.DictReader(file, delimiter=delimiter, restval=""), start=2):
                pending += 1
                if pending == BATCH_ROWS:
                    on_rows(pending)
                    pending = 0
                if "." not in (row.get("JobID") or ""):
                    yield number, row
    except (UnicodeDecodeError, csv.Error) as error:
        raise bad_file("damaged", f"The file cannot be read to its end ({error}).") from error
    on_rows(pending)


def _slurm(row: Row) -> _Use | None:
    start, seconds = _time(row["Start"]), _number(row["ElapsedRaw"], "duration_unreadable")
    _check_month(start, start + timedelta(seconds=float(seconds)))
    gpus, kind = _tres(row["AllocTRES"])
    if gpus == 0:
        return None
    named = {"account": "Account", "partition": "Partition", "wckey": "WCKey", "job": "JobName"}
    return _Use(start, seconds, gpus, row["Account"], kind, _tags(row, named, "Comment"), row.get("Cluster", ""))


def _kubernetes(row: Row) -> _Use | None:
    start, end = _time(row["start"]), _time(row["end"])
    if end < start:
        raise _Refuse("duration_unreadable")
    _check_month(start, end)
    gpus = _number(row["gpus"], "gpus_unreadable")
    if gpus == 0:
        return None
    tags = _tags(row, {"namespace": "namespace", "workload": "workload"}, "labels")
    seconds = Decimal(int((end - start).total_seconds()))
    return _Use(start, seconds, gpus, row["namespace"], row.get("gpu", ""), tags, row.get("cluster", ""))


_READERS = {Scheduler.SLURM: _slurm, Scheduler.KUBERNETES: _kubernetes}


def _tags(row: Row, named: Mapping[str, str], column: str) -> str:
    """The canonical tags: the columns `named` by tag, and the tags in `column`, which win."""
    own = {tag: row[name] for tag, name in named.items() if row.get(name)}
    text, _ = canonical(row.get(column) or None)
    return canonical(json.dumps(own | parse_json(text)))[0]


def _time(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError as error:
        raise _Refuse("time_unreadable") from error
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _number(text: str, reason: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise _Refuse(reason) from error
    if not number.is_finite() or not 0 <= number < 10**9:
        raise _Refuse(reason)
    return number


def _tres(text: str) -> tuple[Decimal, str]:
    """The number and kind of GPUs in an AllocTRES: `gres/gpu` counts all, `gres/gpu:KIND` those of a kind again."""
    matches = re.findall(r"(?:^|,)gres/gpu(?::([^=,]+))?=([^,]*)", text)
    amounts = [(kind, _number(amount, "gpus_unreadable")) for kind, amount in matches]
    kinds = "+".join(sorted(kind for kind, _ in amounts if kind))
    whole = [amount for kind, amount in amounts if not kind]
    return (whole[0] if whole else sum((amount for _, amount in amounts), Decimal(0))), kinds


def _check_month(start: datetime, end: datetime) -> None:
    after = next_month(start.date())
    if end > datetime(after.year, after.month, 1, tzinfo=UTC):
        raise _Refuse("crosses_months")


def _key(use: _Use, scheduler: Scheduler, cluster: str) -> tuple[object, ...]:
    day = use.start.date()
    return (
        scheduler.value,
        use.cluster or cluster,
        day.replace(day=1),
        next_month(day),
        day,
        use.subaccount,
        "",
        use.sku,
        scheduler.value,
        "Compute",
        "",
        "Usage",
        False,
        "USD",
        use.tags,
    )


def _frame(sums: Mapping[tuple[object, ...], list[Decimal | int]]) -> pl.DataFrame:
    exact = pl.Decimal(38, 12)
    kinds: dict[str, Any] = {"period": pl.Date, "period_end": pl.Date, "day": pl.Date, "is_correction": pl.Boolean}
    names = [name for name in LINE if name not in TOKEN_TEXTS]
    schema = {name: kinds.get(name, pl.String) for name in names} | {"rows": pl.Int64, "gpu_hours": exact}
    rows = [(*key, rows, Decimal(hours).quantize(PLACES, ROUND_HALF_EVEN)) for key, (rows, hours) in sums.items()]
    zeros = (pl.lit(0).cast(exact).alias(name) for name in SUMS if name not in schema)
    empty = (pl.lit("").alias(name) for name in TOKEN_TEXTS)
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(*zeros, *empty).select(*LINE, *SUMS).sort(*LINE)


def _example(number: int, row: Row, scheduler: Scheduler) -> str:
    shown = ", ".join(f"{name} is {(row[name] or '')[:VALUE_CHARS_MAX]!r}" for name in NEEDED[scheduler])
    return f"row {number}: {shown}"
