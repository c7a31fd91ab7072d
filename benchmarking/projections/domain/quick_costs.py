"""The quick calculator: builds a cost spec from a few form fields.

Settings without a form field keep the default of the spec. To change them, edit the spec.
"""

from dataclasses import dataclass
from typing import Any

from weighbridge.core.documents import API_VERSION

SELF_HOSTED, MANAGED, NONE = "self-hosted", "managed-api", "none"


@dataclass(frozen=True, kw_only=True)
class QuickOption:
    """One option of the form; ranges are (low, high), or None for an empty field."""

    id: str
    title: str
    kind: str
    sku: str
    service_ms: tuple[float, float] | None = None
    limit_ms: float | None = None
    slots: int = 1
    min_replicas: int = 2
    input_tokens: tuple[float, float] | None = None
    output_tokens: tuple[float, float] | None = None
    training_sku: str = ""
    training_gpu_hours: tuple[float, float] | None = None
    development_usd: tuple[float, float] | None = None
    maintenance_fte: tuple[float, float] | None = None


def quick_spec(
    *, name: str, requests_per_year: tuple[float, float], years: int, fte_usd: float, options: tuple[QuickOption, ...]
) -> dict[str, Any]:
    """Return the spec, `kind: CostSpec`, in plain types."""
    return {
        "apiVersion": API_VERSION,
        "kind": "CostSpec",
        "name": name,
        "load": {"requests_per_year": _amount(requests_per_year)},
        "people": {"fte_usd": fte_usd},
        "horizon": {"years": years},
        "options": [_option(option) for option in options],
    }


def _option(option: QuickOption) -> dict[str, Any]:
    serving = _self_hosted(option) if option.kind == SELF_HOSTED else _managed(option)
    ownership = _amounts(development_usd=option.development_usd or (0, 0), maintenance_fte=option.maintenance_fte)
    spec = {"id": option.id, "title": option.title, "serving": serving, "ownership": ownership}
    if option.training_gpu_hours is None:
        return spec
    hours = _amount(option.training_gpu_hours)
    return {**spec, "training": {"gpu_hours": hours, "usd_per_gpu_h": {"sku": option.training_sku}}}


def _self_hosted(option: QuickOption) -> dict[str, Any]:
    service_ms = option.service_ms or (0.0, 0.0)
    return {
        "kind": SELF_HOSTED,
        "service_s": _amount((service_ms[0] / 1_000, service_ms[1] / 1_000)),
        "limit_s": (option.limit_ms or 0.0) / 1_000,
        "slots": option.slots,
        "min_replicas": option.min_replicas,
        "usd_per_replica_h": {"sku": option.sku},
    }


def _managed(option: QuickOption) -> dict[str, Any]:
    return {
        "kind": MANAGED,
        "prices": {"sku": option.sku},
        **_amounts(input_tokens=option.input_tokens, output_tokens=option.output_tokens),
    }


def _amounts(**ranges: tuple[float, float] | None) -> dict[str, Any]:
    return {name: _amount(ends) for name, ends in ranges.items() if ends is not None}


def _amount(ends: tuple[float, float]) -> float | list[float]:
    low, high = ends
    return low if low == high else [low, high]
