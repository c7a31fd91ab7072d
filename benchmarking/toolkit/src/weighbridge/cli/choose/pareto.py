"""`weighbridge pareto`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from weighbridge.cli.exits import stop, write_json
from weighbridge.core.errors import Refused

if TYPE_CHECKING:
    from weighbridge.tradeoff.candidates import Candidate
    from weighbridge.tradeoff.pareto import Frontier


def pareto(
    candidates: Annotated[Path, typer.Argument(help="Candidates file, as `weighbridge optimise --json` writes it.")],
    axis: Annotated[
        list[str] | None, typer.Option(help="A figure to weigh by; more than one. metric:min or metric:max.")
    ] = None,
    draws: Annotated[int, typer.Option(min=1, help="How often every figure is drawn from its interval.")] = 1_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draws.")] = 20_260_101,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the standings to this file.")] = None,
    chart: Annotated[Path | None, typer.Option(help="Draw the first two axes into this file, .svg or .png.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")] = False,
) -> None:
    """Say which candidates nobody beats: frontier, dominated or ambiguous, given the interval of every figure."""
    import dataclasses

    from weighbridge.charts.drawing import save
    from weighbridge.tradeoff.axes import DEFAULT_AXES, axes_of
    from weighbridge.tradeoff.candidates import read_candidates
    from weighbridge.tradeoff.charts.plane import trade_off
    from weighbridge.tradeoff.pareto import weigh

    try:
        members = read_candidates(candidates).candidates
        axes = axes_of(axis or DEFAULT_AXES)
        found = weigh(members, axes, draws=draws, seed=seed)
        if json_file is not None:
            write_json(json_file, dataclasses.asdict(found))
        if chart is not None:
            save(trade_off(members, across=axes[min(1, len(axes) - 1)], up=axes[0]), chart)
    except Refused as refused:
        stop(refused.reason)
    if not quiet:
        _show(members, found)


def _show(members: "tuple[Candidate, ...]", found: "Frontier") -> None:
    """Print the standings as a table, and who was left out."""
    from rich.table import Table

    from weighbridge.cli.tables.terminal import console
    from weighbridge.tradeoff.charts.words import with_bounds, with_unit

    by_name = {member.name: member for member in members}
    first = by_name[found.standings[0].name] if found.standings else None
    table = Table(
        title=f"{len(found.standings)} candidates, {found.draws:,} draws, seed {found.seed}", title_justify="left"
    )
    units = [first.metrics[axis.metric].unit if first else "1" for axis in found.axes]
    for heading in (
        "candidate",
        *(with_unit(axis.metric, unit) for axis, unit in zip(found.axes, units, strict=True)),
        "P(frontier)",
        "state",
        "beaten by",
    ):
        table.add_column(heading, overflow="fold")
    for standing in found.standings:
        figures = (with_bounds(by_name[standing.name].metrics[axis.metric]) for axis in found.axes)
        beaten_by = ", ".join(f"{by.name} ({by.probability:.0%})" for by in standing.dominated_by[:3])
        table.add_row(standing.name, *figures, f"{standing.p_frontier:.2f}", standing.state.value, beaten_by)
    out = console(sys.stdout)
    out.print(table)
    for name, metric in found.left_out:
        out.print(f"left out: {name} has no {metric}", markup=False)
