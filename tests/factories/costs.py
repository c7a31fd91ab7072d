"""Cost specs: small ones that answer quickly, with prices written out so that no price list moves them."""

from copy import deepcopy
from typing import Any

PRICE = {"usd": 1.0, "unit": "instance_h", "as_of": "2026-09-01", "source": "a quote of September 2026"}
SPEC: dict[str, Any] = {
    "apiVersion": "weighbridge/v1",
    "kind": "CostSpec",
    "name": "Visual search",
    "draws": 200,
    "max_price_age_days": 36_500,
    "load": {"requests_per_year": [600_000_000, 700_000_000]},
    "options": [
        {
            "id": "own",
            "title": "Own replicas",
            "training": {"gpu_hours": [100, 200], "usd_per_gpu_h": {**PRICE, "unit": "gpu_h", "usd": 2.5}},
            "serving": {
                "kind": "self-hosted",
                "service_s": [0.1, 0.14],
                "limit_s": 1.0,
                "min_replicas": 1,
                "usd_per_replica_h": dict(PRICE),
            },
            "ownership": {"development_usd": 0},
        },
        {
            "id": "api",
            "title": "Managed API",
            "serving": {
                "kind": "managed-api",
                "input_tokens": 100,
                "output_tokens": 10,
                "prices": {
                    "input_usd": {**PRICE, "unit": "million_tokens", "usd": 0.15},
                    "output_usd": {**PRICE, "unit": "million_tokens", "usd": 0.6},
                },
            },
            "ownership": {"development_usd": 0},
        },
    ],
}


def cost_spec(*, only: str | None = None, **changes: Any) -> dict[str, Any]:
    """The spec, or that of one option; `changes` replace keys of its first level, or of the first option's serving."""
    spec = deepcopy(SPEC)
    if only is not None:
        spec["options"] = [option for option in spec["options"] if option["id"] == only]
    for name, value in changes.items():
        (spec["options"][0]["serving"] if name in {"service_s", "limit_s"} else spec)[name] = value
    return spec
