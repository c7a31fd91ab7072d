"""Cost lines: an amount with its formula and inputs, so that every metric can be traced."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

NAME = re.compile(r"\b[a-z]\w*")
# A number or an array of draws; the calculators accept both.
Number = Any


@dataclasses.dataclass(frozen=True)
class CostLine:
    """One amount, `usd`; `formula` refers to the names in `terms`, which include units."""

    name: str
    usd: Number
    formula: str
    terms: Mapping[str, Number]


@dataclasses.dataclass(frozen=True)
class Costing:
    """The costs of something: lines in US dollars, and other quantities (GPU hours, replicas).

    `left_out` names what has a price but no stated quantity; `notes` are sentences on how far the numbers hold,
    by their subject.
    """

    lines: tuple[CostLine, ...]
    quantities: Mapping[str, Number] = dataclasses.field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    notes: Mapping[str, str] = dataclasses.field(default_factory=dict)

    @property
    def total_usd(self) -> Number:
        """Return the sum of all lines."""
        return sum((line.usd for line in self.lines), 0.0)

    @property
    def usd(self) -> dict[str, Number]:
        """Return the amounts by the names of their lines."""
        return {line.name: line.usd for line in self.lines}


def line_of(spec: Any, name: str, usd: Number, formula: str, **computed: Number) -> CostLine:
    """Return a line; its terms are the inputs of `spec` that the formula names, and the `computed` ones."""
    known = {field.name: getattr(spec, field.name) for field in dataclasses.fields(spec)} | computed
    terms = {term: known[term] for term in (*NAME.findall(formula), *computed) if term in known}
    return CostLine(name, usd, formula, terms)


def part(amount: Number, share: Number) -> Number:
    """Return a share of an amount that may be infinite; a share of zero is 0."""
    return np.zeros_like(amount) if isinstance(share, int | float) and share == 0 else amount * share
