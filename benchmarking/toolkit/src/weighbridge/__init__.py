"""Weighbridge measures the cost, speed and quality of models and helps to choose between them.

    import weighbridge

    weighbridge.profile("model.onnx", data="rows.npz")

Every function returns a `Result`, which is displayed in a notebook and converts to a dictionary or a data frame.
Functions are imported on first use, so that importing this package is fast.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from weighbridge.api.checking import attest, check, sign_result, verify_result
    from weighbridge.api.choosing import decide, learning_curve, pareto, portfolio, recommend
    from weighbridge.api.comparing import compare
    from weighbridge.api.costing import accepted_answers, own_or_api, price_request, project_costs
    from weighbridge.api.data import prepare_data
    from weighbridge.api.devices import measure_on_devices
    from weighbridge.api.documents import import_results
    from weighbridge.api.experiment import experiment
    from weighbridge.api.fitting import fit
    from weighbridge.api.job_progress import Watcher
    from weighbridge.api.load.prompts import Chat
    from weighbridge.api.load.sizing import size_replicas
    from weighbridge.api.load.testing import load_test
    from weighbridge.api.optimizing import optimize
    from weighbridge.api.profiling import profile
    from weighbridge.api.results import Result
    from weighbridge.api.scoring import answer_alternatives, prompts_needed, score, score_answers
    from weighbridge.core.errors import Invalid, Refused
    from weighbridge.core.extras import ExtraMissing
    from weighbridge.systems.sandbox.process import RunCanceled, RunFailed

_MODULES = {
    "api.load.prompts": ("Chat",),
    "api.checking": ("attest", "check", "sign_result", "verify_result"),
    "api.choosing": ("decide", "learning_curve", "pareto", "portfolio", "recommend"),
    "api.comparing": ("compare",),
    "api.costing": ("accepted_answers", "own_or_api", "price_request", "project_costs"),
    "api.data": ("prepare_data",),
    "api.devices": ("measure_on_devices",),
    "api.documents": ("import_results",),
    "api.experiment": ("experiment",),
    "api.fitting": ("fit",),
    "api.job_progress": ("Watcher",),
    "api.load.testing": ("load_test",),
    "api.load.sizing": ("size_replicas",),
    "api.optimizing": ("optimize",),
    "api.profiling": ("profile",),
    "api.results": ("Result",),
    "api.scoring": ("answer_alternatives", "prompts_needed", "score", "score_answers"),
    "core.errors": ("Invalid", "Refused"),
    "core.extras": ("ExtraMissing",),
    "systems.sandbox.process": ("RunCanceled", "RunFailed"),
}
__all__ = [
    "Chat",
    "ExtraMissing",
    "Invalid",
    "Refused",
    "Result",
    "RunCanceled",
    "RunFailed",
    "Watcher",
    "accepted_answers",
    "answer_alternatives",
    "attest",
    "check",
    "compare",
    "decide",
    "experiment",
    "fit",
    "import_results",
    "learning_curve",
    "load_test",
    "measure_on_devices",
    "optimize",
    "own_or_api",
    "pareto",
    "portfolio",
    "prepare_data",
    "price_request",
    "profile",
    "project_costs",
    "prompts_needed",
    "recommend",
    "score",
    "score_answers",
    "sign_result",
    "size_replicas",
    "verify_result",
]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    for module, names in _MODULES.items():
        if name in names:
            globals()[name] = getattr(importlib.import_module(f"weighbridge.{module}"), name)
            return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the public names."""
    return __all__
