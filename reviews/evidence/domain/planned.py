"""Benchmark plans of a policy as the documents that runs store and signed results follow."""

from typing import Any

from governance.rulebook.domain.benchmark_plans import BenchmarkPlan


def benchmark_document(plan: BenchmarkPlan) -> dict[str, Any]:
    """The plan as JSON types."""
    return {
        "scenario": str(plan.scenario),
        "min_samples": plan.min_samples,
        "needs_data": plan.needs_data,
        "hardware": str(plan.hardware),
        "settings": {name: int(value) if value == int(value) else float(value) for name, value in plan.settings},
        **({"metrics": list(plan.metrics)} if plan.metrics else {}),
        **({"sizes": dict(plan.sizes)} if plan.sizes else {}),
    }
