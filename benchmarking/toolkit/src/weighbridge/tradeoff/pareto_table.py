"""A table of the candidates' standings, and the candidates that were left out."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from weighbridge.cli.tables.terminal import table_of
from weighbridge.tradeoff.candidates import Candidate
from weighbridge.tradeoff.charts.words import with_bounds, with_unit
from weighbridge.tradeoff.pareto import Frontier

if TYPE_CHECKING:
    from rich.table import Table


def frontier_parts(members: Sequence[Candidate], found: Frontier) -> "Iterator[Table | str]":
    """Yield the table of standings, of which there are some, and the candidates that were left out."""
    by_name = {member.name: member for member in members}
    first = by_name[found.standings[0].name]
    units = [first.metrics[axis.metric].unit for axis in found.axes]
    axes = [with_unit(axis.metric, unit) for axis, unit in zip(found.axes, units, strict=True)]
    headings = ("candidate", *axes, "P(frontier)", "state", "beaten by")
    count = len(found.standings)
    title = f"{count} candidate{'s' if count > 1 else ''}, {found.draws:,} draws, seed {found.seed}"
    yield table_of(title, headings, _rows(by_name, found), text_columns=headings)
    yield from (f"left out: {name} has no {metric}" for name, metric in found.left_out)


def _rows(by_name: dict[str, Candidate], found: Frontier) -> Iterator[list[str]]:
    for standing in found.standings:
        estimates = (with_bounds(by_name[standing.name].metrics[axis.metric]) for axis in found.axes)
        beaten_by = ", ".join(f"{by.name} ({by.probability:.0%})" for by in standing.dominated_by[:3])
        yield [standing.name, *estimates, f"{standing.p_frontier:.2f}", standing.state.value, beaten_by]
