"""A bill of five million rows: read, checked, added up, copied and allocated; beside a bare scan that checks nothing.

`WEIGHBRIDGE_BILL_ROWS` sets another number of rows. The file is one of a generator, repeated; the scans run in
processes of their own, whose memory is watched, and take turns so that a busy machine bothers both alike.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter

import pytest
from django.core.files import File
from pytest_django import Settings

from governance.bills import tasks as bills_tasks
from governance.bills.actions import bills
from governance.bills.models import Bill, SpendLine
from governance.jobs.enums import JobState
from tests.factories.people import make_cast
from tests.integration.conftest import installation, now, signing_key_pem
from tests.performance.recorder import Recorder

__all__ = ["installation", "now", "signing_key_pem"]

ROWS = int(os.environ.get("WEIGHBRIDGE_BILL_ROWS", "5000000"))
BASE_ROWS, ROUNDS = 100_000, 2
LIMIT_S, LEAST_SHARE, MOST_MB = 60.0, 0.8, 1_500.0
WATCHED = """
import json, sys, threading, time
from pathlib import Path

def anonymous_mb():
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1000
    return 0.0

peak, over = [0.0], threading.Event()

def watch():
    while not over.wait(0.05):
        peak[0] = max(peak[0], anonymous_mb())

from config import env

env.set_polars_cache_size()
from governance.bills.domain.columns import NUMBERS
from governance.bills.domain.aggregation import WORDS, group
from governance.bills.domain.reading import open_source, decimals
import polars as pl

source = open_source(Path(sys.argv[2]), kind="csv")

def bare():
    day = pl.col("ChargePeriodStart").str.slice(0, 10).alias("day")
    groups = source.scan().group_by(*WORDS, day)
    return groups.agg(decimals(name).sum() for name in NUMBERS).collect(engine="streaming")

threading.Thread(target=watch, daemon=True).start()
begun = time.perf_counter()
groups = group(source) if sys.argv[1] == "ours" else bare()
took = time.perf_counter() - begun
over.set()
print(json.dumps({"s": took, "mb": peak[0], "groups": groups.height}))
"""


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file, some 0.94 kB a row."""
    folder = tmp_path_factory.mktemp("bill")
    toolkit = Path(sys.executable).parent / "focus-toolkit"
    options = ["--provider", "aws", "--focus-version", "1.2", "--rows", str(BASE_ROWS), "--seed", "7"]
    subprocess.run([toolkit, "generate", *options, "--out", folder], check=True, capture_output=True)
    (made,) = folder.glob("*.csv")
    header, _, body = made.read_bytes().partition(b"\n")
    path = folder / "bill.csv"
    with path.open("wb") as file:
        file.write(header + b"\n")
        for _ in range(max(1, ROWS // BASE_ROWS)):
            file.write(body)
    made.unlink()
    return path


def scanned(how: str, path: Path) -> dict[str, float]:
    done = subprocess.run([sys.executable, "-c", WATCHED, how, path], check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def test_the_scan_is_nearly_as_quick_as_one_that_checks_nothing(bill: Path, keep: Recorder) -> None:
    turns = [(scanned("bare", bill), scanned("ours", bill)) for _ in range(ROUNDS)]
    bare, ours = (min(turn[place]["s"] for turn in turns) for place in (0, 1))
    peak = max(turn[1]["mb"] for turn in turns)
    beside = (
        f"{ROWS / ours / 1e6:.2f} million rows a second, {turns[0][1]['groups']:,.0f} groups; bare {bare:.1f} s, ours "
        f"{ours:.1f} s"
    )
    share = keep(
        "bills.scan_share",
        bare / ours,
        "of the bare scan's speed",
        at_least=LEAST_SHARE,
        beside=beside,
        title=f"Reading {ROWS:,} rows of a bill with every check, beside the same sums in Polars without any",
    )
    memory = keep(
        "bills.scan_memory", peak, "MB", at_most=MOST_MB, title=f"Anonymous memory while scanning {ROWS:,} rows"
    )
    assert share.is_held
    assert memory.is_held


@pytest.mark.django_db
def test_a_bill_is_on_record_within_a_minute(bill: Path, now: object, settings: Settings, keep: Recorder) -> None:
    settings.UPLOAD_LIMIT_BYTES = bill.stat().st_size
    cast = make_cast(now=now)  # type: ignore[arg-type]
    with bill.open("rb") as file:
        received = bills.receive(
            upload=File(file, name="bill.csv"), delivery=bills.Delivery(), by=cast.finance, now=now
        )  # type: ignore[arg-type]
    begun = perf_counter()
    bills_tasks.ingest_bill(received.pk)
    took = perf_counter() - begun
    done = Bill.objects.get(pk=received.pk)
    assert (done.state, done.report["rows_kept"]) == (JobState.DONE, max(1, ROWS // BASE_ROWS) * BASE_ROWS)
    assert keep(
        "bills.whole",
        took,
        "s",
        at_most=LIMIT_S,
        title=f"From a kept file of {ROWS:,} rows to lines on record",
        beside=f"{SpendLine.objects.count():,} lines copied",
    ).is_held
