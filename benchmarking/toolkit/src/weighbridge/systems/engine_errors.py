"""Errors of engines."""

import contextlib
from collections.abc import Iterator

from weighbridge.core.errors import Refused


class ModelFailed(Refused):
    """The model failed."""

    default_code = "model_failed"


def model_failure(where: str, error: BaseException) -> ModelFailed:
    """Convert an exception of an engine; running out of memory has a separate code."""
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, MemoryError) or "alloc" in str(error).lower():
        return ModelFailed(f"The model ran out of memory {where} ({text}).", code="model_memory", field="model")
    return ModelFailed(f"The model failed {where} ({text}).", field="model")


@contextlib.contextmanager
def failing(where: str) -> Iterator[None]:
    """Raise ModelFailed for any exception: the exceptions of engines have no common base class."""
    try:
        yield
    except Exception as error:
        raise model_failure(where, error) from error
