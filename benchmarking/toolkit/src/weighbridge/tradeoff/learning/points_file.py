"""The file with the points of a learning curve: CSV with a header, or JSON.

```csv
rows,accuracy
5000,0.8430
10000,0.8655
```

The first column is `rows`, the second names the metric: `error`, or a share where higher is better. The same in JSON:
`{"metric": "accuracy", "points": [{"rows": 5000, "value": 0.843}, ...]}`. Several lines with the same rows are
measurements on disjoint parts of the data.
"""

import csv
import dataclasses
from collections.abc import Iterator
from pathlib import Path

from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.json_text import parse_json, read_bytes
from weighbridge.core.parsing.limits import DOCUMENT
from weighbridge.tradeoff.shapes import read


@dataclasses.dataclass(frozen=True)
class MeasuredPoint:
    """A metric (0 to 1) after training on a number of rows."""

    rows: int
    value: float


@dataclasses.dataclass(frozen=True)
class PointsFile:
    """The content of the file."""

    metric: str
    points: tuple[MeasuredPoint, ...]

    @property
    def rows(self) -> list[int]:
        """Return the sizes, in file order."""
        return [point.rows for point in self.points]

    @property
    def errors(self) -> list[float]:
        """Return the metric as errors: itself, or 1 minus it."""
        return [point.value if self.metric == "error" else 1 - point.value for point in self.points]


def read_points(path: Path) -> PointsFile:
    """Read a `.json` or `.csv` file; raise Invalid with the invalid line or key."""
    content = read_bytes(path, limits=DOCUMENT, field="points", code="points_missing")
    if path.suffix == ".json":
        return points_from(parse_json(content, name=path.name, field="points", code="points_unreadable"))
    try:
        return _from_csv(content.decode("utf-8-sig"), path.name)
    except UnicodeDecodeError as error:
        raise Invalid(f"{path} cannot be read: {error}.", code="points_missing", field="points") from error


def points_from(document: object) -> PointsFile:
    """Read the document of a JSON file; raise Invalid with the invalid key."""
    return read(PointsFile, document)


def _from_csv(text: str, name: str) -> PointsFile:
    lines = list(csv.reader(text.splitlines()))
    if not lines or len(lines[0]) != 2 or lines[0][0].strip() != "rows":
        text = f"{name} must start with the header `rows,accuracy` (or another metric), followed by one pair per line."
        raise Invalid(text, code="points_form", field="points")
    return PointsFile(lines[0][1].strip(), tuple(_pairs(lines[1:], name)))


def _pairs(lines: list[list[str]], name: str) -> Iterator[MeasuredPoint]:
    for number, line in enumerate(lines, start=2):
        if not line:
            continue
        try:
            rows, value = line
            yield MeasuredPoint(int(rows), float(value))
        except ValueError as error:
            text = f"Line {number} of {name} must be a whole number of rows and a number, not {','.join(line)!r}."
            raise Invalid(text, code="points_form", field="points") from error
