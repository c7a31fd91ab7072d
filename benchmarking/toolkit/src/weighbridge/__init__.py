"""Weighbridge measures the cost, speed and quality of models and helps to choose between them.

    import weighbridge

    weighbridge.profile("model.onnx", data="rows.npz")

Every function returns a `Result`, which is displayed in a notebook and converts to a dictionary or a data frame.
Functions are imported on first use, so that importing this package is fast.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from weighbridge.api.choosing import decide, learning_curve, pareto, recommend
    from weighbridge.api.comparing import compare
    from weighbridge.api.costing import project_costs
    from weighbridge.api.following import Watcher
    from weighbridge.api.load_testing import load_test
    from weighbridge.api.optimizing import optimize
    from weighbridge.api.profiling import profile
    from weighbridge.api.results import Result
    from weighbridge.api.scoring import score
    from weighbridge.core.errors import Invalid, Refused
    from weighbridge.core.extras import ExtraMissing
    from weighbridge.systems.sandbox.process import RunCanceled, RunFailed

_API = "weighbridge.api"
_MODULES = {
    "ExtraMissing": "weighbridge.core.extras",
    "Invalid": "weighbridge.core.errors",
    "Refused": "weighbridge.core.errors",
    "Result": f"{_API}.results",
    "RunCanceled": "weighbridge.systems.sandbox.process",
    "RunFailed": "weighbridge.systems.sandbox.process",
    "Watcher": f"{_API}.following",
    "compare": f"{_API}.comparing",
    "decide": f"{_API}.choosing",
    "learning_curve": f"{_API}.choosing",
    "load_test": f"{_API}.load_testing",
    "optimize": f"{_API}.optimizing",
    "pareto": f"{_API}.choosing",
    "profile": f"{_API}.profiling",
    "project_costs": f"{_API}.costing",
    "recommend": f"{_API}.choosing",
    "score": f"{_API}.scoring",
}
__all__ = [
    "ExtraMissing",
    "Invalid",
    "Refused",
    "Result",
    "RunCanceled",
    "RunFailed",
    "Watcher",
    "compare",
    "decide",
    "learning_curve",
    "load_test",
    "optimize",
    "pareto",
    "profile",
    "project_costs",
    "recommend",
    "score",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(_MODULES[name]), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
