"""How the time of each page grows with ten years of requests: its exponent, fitted over installations of three sizes.

With the exponent 0, a page takes the same time beside any number of requests; with 1, twice the time beside twice as
many. `WEIGHBRIDGE_SIZES=1000,5500,30000` chooses other sizes; the table of docs/explanation/scale.md is of these.
"""

import json
import math
import os
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from tests.performance.recorder import Recorder

ROOT = Path(__file__).parents[2]
SIZES = [int(size) for size in os.environ.get("WEIGHBRIDGE_SIZES", "1000,4000,16000").split(",")]
GROWS = 0.5
"""The exponent from which a page is said to grow."""
Times = dict[str, tuple[float, int]]


def pages_beside(requests: int, folder: Path) -> Times:
    """Milliseconds and queries of each kind of page in an installation with so many requests."""
    environment = {**os.environ, "WEIGHBRIDGE_VAR": str(folder)}
    own = {
        "WEIGHBRIDGE_VAR": str(folder / "try"),
        "DATABASE_URL": "",
        "BROKER_URL": "",
        "WEIGHBRIDGE_HOSTS": "testserver",
    }
    inside = environment | own
    run = [sys.executable, "-m"]
    try:
        load = [*run, "examples.recorded", "load", "--requests", str(requests)]
        subprocess.run(load, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
        times = [*run, "tests.performance.growth_place"]
        made = subprocess.run(times, cwd=ROOT, env=inside, check=True, text=True, stdout=subprocess.PIPE)
        return json.loads(made.stdout.splitlines()[-1])
    finally:
        subprocess.run([*run, "config.embedded_database", "stop"], cwd=ROOT, env=inside, check=True)


def exponent(sizes: list[int], times_ms: list[float]) -> float:
    """The slope of the straight line through the logarithms of times and sizes, by least squares."""
    return statistics.linear_regression(list(map(math.log, sizes)), list(map(math.log, times_ms))).slope


def exponents(beside: dict[int, Times]) -> dict[str, float]:
    """The exponent of each kind of page that every size has, the largest first."""
    kinds = set.intersection(*(set(times) for times in beside.values()))
    found = {kind: exponent(list(beside), [times[kind][0] for times in beside.values()]) for kind in kinds}
    return dict(sorted(found.items(), key=lambda each: -each[1]))


def table(beside: dict[int, Times], slopes: dict[str, float]) -> str:
    """A line for each page: its times, its queries beside the most requests, and its exponent."""
    rows = [["Page", *(f"{size:,}" for size in beside), "Queries", "Exponent"]]
    rows.append(["---"] * len(rows[0]))
    for kind, slope in slopes.items():
        times = [f"{each[kind][0]:,.0f} ms" for each in beside.values()]
        rows.append([kind, *times, str(beside[max(beside)][kind][1]), f"{slope:.2f}"])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def test_how_the_time_of_each_page_grows(keep: Recorder, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = Path(tmp_path_factory.mktemp("growth"))
    for each in (folder, folder.parent, folder.parent.parent):
        each.chmod(0o755)  # the embedded server runs as a user of its own
    beside = {size: pages_beside(size, folder / str(size)) for size in SIZES}
    slopes = exponents(beside)
    print(table(beside, slopes))
    growing = [kind for kind, slope in slopes.items() if slope >= GROWS]
    said = f"of {len(slopes)} kinds, {SIZES[0]:,} to {SIZES[-1]:,} requests"
    keep("growth.median", statistics.median(slopes.values()), "", title="Exponent of the median page", beside=said)
    title = f"Pages that grow with an exponent of {GROWS} or more"
    keep("growth.pages", len(growing), "pages", title=title, beside=", ".join(growing))
