"""Failures: an engine's exceptions put into words."""

from weighbridge.core.errors import Refused


class ModelFailed(Refused):
    """The model could not answer."""

    default_code = "model_failed"


def model_failure(where: str, error: BaseException) -> ModelFailed:
    """Put an engine's exception into words; running out of memory gets a code of its own."""
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, MemoryError) or "alloc" in str(error).lower():
        return ModelFailed(f"The model ran out of memory {where} ({text}).", code="model_memory", field="model")
    return ModelFailed(f"The model failed {where} ({text}).", field="model")
