"""Repeated runs in a file, one item a line: `{"id": "t-1", "passed": [true, false, true], "cluster": "returns"}`.

`passed` may also be a number, with the number of `runs` beside it. An item without a cluster stands alone.
"""

from pathlib import Path

from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.json_text import parse_object, read_bytes
from weighbridge.core.parsing.limits import MEASUREMENT
from weighbridge.costs.value.pass_rates import ITEMS_MAX, RUNS_MAX, ItemRuns, RepeatedRuns


def read_runs(path: Path) -> RepeatedRuns:
    """Read a file of repeated runs; raise Invalid with the line of a fault."""
    lines = read_bytes(path, limits=MEASUREMENT, field="runs").splitlines()
    found: dict[str, ItemRuns] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            item_id, item = _item(Reader(parse_object(line, name=f"{path.name}, line {number}"), path=f"line {number}"))
            if item_id in found:
                raise Invalid(f"{path.name}, line {number}: the id {item_id!r} repeats.", field="runs")
            found[item_id] = item
        if len(found) > ITEMS_MAX:
            raise Invalid(f"{path.name} has more than {ITEMS_MAX:,} items; take a sample.", field="runs")
    return RepeatedRuns(tuple(found.values()))


def _item(reader: Reader) -> tuple[str, ItemRuns]:
    item_id, passed = reader.text("id"), reader.plain("passed")
    if isinstance(passed, list):
        if not all(isinstance(each, bool) for each in passed):
            raise reader.fault("passed", "must list true and false, or be the number of runs that passed.")
        count, runs = sum(passed), len(passed)
    else:
        count, runs = reader.whole("passed", at_most=RUNS_MAX), reader.whole("runs", at_least=1, at_most=RUNS_MAX)
    cluster = reader.text("cluster", item_id)
    reader.close()
    return item_id, ItemRuns(passed=count, runs=runs, cluster=cluster)
