"""Metrics as Prometheus reads them: the text format, version 0.0.4."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Labels = Mapping[str, str]


@dataclass(frozen=True)
class Sample:
    """One value; `suffix` is what the line's name has beyond the family's, such as `_sum`."""

    value: float
    labels: Labels
    suffix: str = ""


@dataclass(frozen=True)
class Family:
    """All samples of one name; `kind` is gauge, counter or histogram; units stand in the name."""

    name: str
    kind: str
    meaning: str
    samples: tuple[Sample, ...]


def family(name: str, kind: str, meaning: str, values: Iterable[tuple[Labels, float]]) -> Family:
    """A family of plain values."""
    return Family(name, kind, meaning, tuple(Sample(value, labels) for labels, value in values))


def histogram(name: str, meaning: str, values: Iterable[tuple[Labels, Mapping[float, int], int, float]]) -> Family:
    """A histogram of (labels, how many took at most so many seconds, how many in all, their sum in seconds)."""
    samples: list[Sample] = []
    for labels, within, count, total in values:
        samples += [Sample(within[bound], {**labels, "le": _number(bound)}, "_bucket") for bound in sorted(within)]
        samples += [
            Sample(count, {**labels, "le": "+Inf"}, "_bucket"),
            Sample(total, labels, "_sum"),
            Sample(count, labels, "_count"),
        ]
    return Family(name, "histogram", meaning, tuple(samples))


def exposed(families: Sequence[Family]) -> str:
    """The document a scrape gets."""
    lines = []
    for each in families:
        lines += [f"# HELP {each.name} {each.meaning}", f"# TYPE {each.name} {each.kind}"]
        lines += [f"{each.name}{s.suffix}{_labels(s.labels)} {_number(s.value)}" for s in each.samples]
    return "\n".join([*lines, ""])


def _labels(labels: Labels) -> str:
    escaped = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
    inside = ",".join(f'{name}="{value.translate(escaped)}"' for name, value in labels.items())
    return f"{{{inside}}}" if inside else ""


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
