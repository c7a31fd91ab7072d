"""Limits of a good answer: of its first token, of each other token, and of the whole answer."""

import dataclasses
import functools
import math
from importlib.resources import files
from typing import Any

from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid
from weighbridge.core.parsing.yaml_text import parse_yaml
from weighbridge.load import chat

PRESETS = "limits.yaml"
GOOD_SHARE = 0.95


@dataclasses.dataclass(frozen=True, kw_only=True)
class AnswerLimits:
    """Inclusive limits in ms, None without one; `source` says where they come from.

    `share` is how many of the answers must keep all of them for a rate to be met.
    """

    ttft_ms: float | None = None
    tpot_ms: float | None = None
    e2e_ms: float | None = None
    share: float = GOOD_SHARE
    source: str = ""

    def __post_init__(self) -> None:
        """Raise Invalid for limits that no answer can keep, and for a share outside (0, 1)."""
        for name in ("ttft_ms", "tpot_ms", "e2e_ms"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise Invalid("A limit must be a positive number of milliseconds.", field=name)
        if not 0 < self.share < 1:
            raise Invalid("The share of good answers must be between 0 and 1, like 0.95.", field="good")

    @property
    def is_some(self) -> bool:
        """Whether there is a limit at all."""
        return any(value is not None for value in (self.ttft_ms, self.tpot_ms, self.e2e_ms))

    def words(self) -> str:
        """Return the limits as people read them."""
        named = {"TTFT": self.ttft_ms, "TPOT": self.tpot_ms, "end-to-end": self.e2e_ms}
        return ", ".join(f"{name} ≤ {value:g} ms" for name, value in named.items() if value is not None)


def limits_from(
    preset: str, *, ttft_ms: float | None, tpot_ms: float | None, e2e_ms: float | None, share: float
) -> AnswerLimits:
    """Return the limits of a preset, replaced by those that are given; raise Invalid for an unknown preset."""
    stated = {"ttft_ms": ttft_ms, "tpot_ms": tpot_ms, "e2e_ms": e2e_ms}
    given: dict[str, Any] = {name: value for name, value in stated.items() if value is not None}
    if not preset:
        return AnswerLimits(**given, share=share)
    known = preset_limits()
    if preset not in known:
        raise Invalid(f"There are no limits {preset!r}; there are {', '.join(sorted(known))}.", field="limits")
    source = known[preset].source if not given else f"{known[preset].source}; changed here: {', '.join(given)}"
    return dataclasses.replace(known[preset], **given, share=share, source=source)


@functools.cache
def preset_limits() -> dict[str, AnswerLimits]:
    """Return the shipped limits by name, each with its source."""
    reader = Reader(parse_yaml(files(chat).joinpath(PRESETS).read_text(), name=PRESETS))
    source, day = reader.text("source"), reader.day("as_of")
    rows = reader.items("limits", _row)
    reader.close()
    return {
        name: AnswerLimits(ttft_ms=ttft_ms, tpot_ms=tpot_ms, source=f"{source} ({day}), {name}")
        for name, ttft_ms, tpot_ms in rows
    }


def _row(reader: Reader) -> tuple[str, float, float]:
    return reader.text("name"), float(reader.number("ttft_ms")), float(reader.number("tpot_ms"))
