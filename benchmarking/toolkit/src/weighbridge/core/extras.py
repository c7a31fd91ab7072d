"""Extras: optional libraries, and how to install a missing one."""

import importlib
from types import ModuleType

from weighbridge.core.errors import Invalid

# Library -> extra of the distribution that installs it.
EXTRAS = {
    "torch": "torch",
    "safetensors": "torch",
    "weasyprint": "pdf",
    "mlflow": "mlflow",
    "wandb": "wandb",
    "altair": "charts",
    "vl_convert": "charts",
    "pandas": "pandas",
    "polars": "polars",
    "skops": "sklearn",
    "sklearn": "quality",
    "xgboost": "xgboost",
    "lightgbm": "lightgbm",
    "grpc": "grpc",
    "google": "grpc",
    "hpack": "http2",
    "PIL": "images",
    "tokenizers": "text",
    "segno": "device",
    "pynvml": "gpu",
    "jiwer": "quality",
    "sacrebleu": "quality",
    "pycocotools": "quality",
    "regex": "quality",
    "jsonschema": "quality",
    "referencing": "quality",
    "xllamacpp": "llm",
}


class ExtraMissing(Invalid):
    """An optional library is missing; the reason contains the install command."""

    default_code = "extra_missing"


def import_extra(module: str) -> ModuleType:
    """Import a module of an optional library, like `torch.nn.functional`; raise ExtraMissing if it is missing."""
    library = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != library:
            raise
        raise ExtraMissing(f"This needs {library}. {install_hint(library)}", field=library) from error


def require_extra(extra: str) -> None:
    """Raise ExtraMissing unless all libraries of an extra can be imported."""
    for library in (name for name, its_extra in EXTRAS.items() if its_extra == extra):
        import_extra(library)


def install_hint(library: str) -> str:
    """Return a sentence with the install command of a library."""
    return f'Install it: pip install "weighbridge[{EXTRAS[library]}]".'
