"""The metric values in the result document of a run."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Metric:
    """One measured metric value; bounds are None if there are too few samples."""

    name: str
    value: Decimal
    unit: str
    lower: Decimal | None
    upper: Decimal | None
    confidence: Decimal | None
    n: int | None

    @property
    def bounds(self) -> tuple[Decimal, Decimal]:
        """The ends of the interval; the value itself where it has none."""
        return self.value if self.lower is None else self.lower, self.value if self.upper is None else self.upper


def metrics_of(result: dict[str, Any]) -> list[Metric]:
    """Return the metric values of a result document; floats become the decimals that they print as."""

    def number(value: object) -> Decimal | None:
        return None if value is None else Decimal(str(value))

    metrics = []
    for name, entry in result.get("metrics", {}).items():
        value = number(entry.get("value"))
        if value is not None:
            lower, upper, confidence = (number(entry.get(field)) for field in ("lower", "upper", "confidence"))
            metrics.append(Metric(name, value, str(entry["unit"]), lower, upper, confidence, entry.get("n")))
    return metrics
