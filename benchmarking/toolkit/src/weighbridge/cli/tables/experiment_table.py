"""Tables of an experiment: its arms, the change with both intervals, the next test and the verdict."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from weighbridge.cli.tables.terminal import missing_lines, note_lines, number, table_of, verdict_lines

if TYPE_CHECKING:
    from rich.table import Table

LOOKS = {"anytime": "any number of looks", "fixed": "one look at the end"}


def experiment_parts(document: Mapping[str, Any]) -> "Iterator[Table | str]":
    """Yield the arms, each change with its intervals, the sample ratio, the next test, and the verdict."""
    rows = ([name, f"{arm['units']:,}", number(arm["mean"])] for name, arm in document["arms"].items())
    yield table_of("Arms", ("arm", "units", "mean"), rows, text_columns=("arm",))
    if document["changes"]:
        headings = ("change", "interval for", "value", "lower", "upper", "level")
        rows = (
            [
                name,
                LOOKS[kind],
                *(number(found[key]) for key in ("value", "lower", "upper")),
                f"{found['confidence']:.0%}",
            ]
            for name, kinds in document["changes"].items()
            for kind, found in kinds.items()
        )
        yield table_of("Treatment against control", headings, rows, text_columns=headings[:2])
    yield from missing_lines(document["missing"])
    ratio, planned = document["sample_ratio"], document["next_test"]
    yield f"sample ratio: {ratio['found']:.2%} treated of {ratio['share']:.2%} intended, p = {number(ratio['p_value'])}"
    yield from _next_lines(planned)
    yield from verdict_lines(document)
    yield from note_lines(document)


def _next_lines(planned: Mapping[str, Any]) -> Iterator[str]:
    if planned["detectable_relative"] is not None:
        share = number(planned["detectable_relative"])
        yield f"so many units find a relative change of {share} with probability {planned['power']:.0%}"
    if planned["units_per_arm"] is not None:
        units, power = f"{planned['units_per_arm']:,}", f"{planned['power']:.0%}"
        yield f"a relative change of {planned['detect']:g} needs {units} units in each arm (probability {power})"
