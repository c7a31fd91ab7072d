"""Extras: libraries that one part of the toolkit needs, and what to install where one is missing."""

import importlib
from types import ModuleType

from weighbridge.core.errors import Invalid

# The extra of the distribution that installs each library.
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
}


class ExtraMissing(Invalid):
    """A library that is not installed; the reason names the command that installs it."""

    default_code = "extra_missing"


def import_extra(module: str) -> ModuleType:
    """Import a module of an optional library, like `torch.nn.functional`; raise ExtraMissing where it is missing."""
    library = module.partition(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != library:
            raise
        raise ExtraMissing(f"This needs {library}. {install_sentence(library)}", field=library) from error


def need_extra(extra: str) -> None:
    """Raise ExtraMissing unless every library of an extra can be imported."""
    for library in (name for name, its_extra in EXTRAS.items() if its_extra == extra):
        import_extra(library)


def install_sentence(library: str) -> str:
    """Return the sentence that names the command which installs a library."""
    return f'Install it: pip install "weighbridge[{EXTRAS[library]}]".'
