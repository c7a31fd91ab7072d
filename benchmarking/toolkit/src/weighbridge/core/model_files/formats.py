"""The accepted formats of model files, which hold data only, and the suffixes of files that may hold code."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import PurePath
from types import MappingProxyType


class ArtifactFormat(StrEnum):
    """The accepted formats."""

    ONNX = "onnx"
    SAFETENSORS = "safetensors"
    GGUF = "gguf"
    SKOPS = "skops"
    XGBOOST = "xgboost"
    LIGHTGBM = "lightgbm"


# The usual suffixes. What a file is, its bytes decide (`inspection`).
SUFFIXES: Mapping[str, ArtifactFormat] = MappingProxyType(
    {
        ".onnx": ArtifactFormat.ONNX,
        ".safetensors": ArtifactFormat.SAFETENSORS,
        ".gguf": ArtifactFormat.GGUF,
        ".skops": ArtifactFormat.SKOPS,
        ".ubj": ArtifactFormat.XGBOOST,
        ".json": ArtifactFormat.XGBOOST,
        ".txt": ArtifactFormat.LIGHTGBM,
    }
)
PICKLED_SUFFIXES = frozenset({".pt", ".pth", ".pt2", ".ckpt", ".pkl", ".pickle", ".joblib"})


def is_pickle_name(name: str) -> bool:
    """Return whether a file has the suffix of a pickle, which runs code when it is loaded."""
    return PurePath(name).suffix.lower() in PICKLED_SUFFIXES
