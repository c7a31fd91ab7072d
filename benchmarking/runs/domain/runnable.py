"""What the workers of the platform can run: files of data in these formats, each with the system that loads it."""

from collections.abc import Mapping
from types import MappingProxyType

from governance.rulebook.domain.scopes import SubjectKind
from weighbridge.core.model_files.formats import ArtifactFormat

SYSTEMS: Mapping[str, str] = MappingProxyType(
    {
        ArtifactFormat.ONNX: "onnx",
        ArtifactFormat.SKOPS: "sklearn",
        ArtifactFormat.XGBOOST: "xgboost",
        ArtifactFormat.LIGHTGBM: "lightgbm",
    }
)
OPTIMIZED = ArtifactFormat.ONNX.value
"""The format of which cheaper variants are made."""


def reason_not_measured(*, kind: str, format_name: str, is_stored: bool) -> str:
    """Why the workers cannot measure such a version, with what can be done, as a sentence; "" if they can."""
    if kind != SubjectKind.FILE:
        return f"A {kind} cannot be run by our workers; file a result that a trusted key signed, or one of an endpoint."
    if format_name not in SYSTEMS:
        return f"A {format_name} file has weights alone and cannot be run; file a result that a trusted key signed."
    return "" if is_stored else "The model lies elsewhere; upload the file to have it measured."
