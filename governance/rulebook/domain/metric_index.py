"""What is known of one request when a policy judges it: its figures by name, and what is wrong with them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from weighbridge.core.errors import Invalid
from weighbridge.core.metrics import Figure, check_figure


@dataclass(frozen=True)
class Known:
    """The figures of one request by name, with what is wrong with them; worked out once for any number of policies."""

    figures: Mapping[str, tuple[Figure, ...]]
    faults: dict[str, str]

    def fault_of(self, name: str) -> str:
        """Why a figure of that name is malformed; empty when none is."""
        if name not in self.faults:
            self.faults[name] = max(map(_malformation, self.figures.get(name, ())), default="")
        return self.faults[name]


def known(figures: Iterable[Figure]) -> Known:
    """The figures sorted by name, in their order."""
    named: dict[str, list[Figure]] = defaultdict(list)
    for figure in figures:
        named[figure.name].append(figure)
    return Known({name: tuple(those) for name, those in named.items()}, {})


def _malformation(figure: Figure) -> str:
    try:
        check_figure(figure)
    except Invalid as refusal:
        return refusal.reason
    return ""
