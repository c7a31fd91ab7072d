"""A file to import: which importer reads it, and what it needs to be told."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import IO

from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.currency import FxTable
from weighbridge.costs.prices.importers.aws import read_aws
from weighbridge.costs.prices.importers.azure import read_azure
from weighbridge.costs.prices.importers.litellm import read_litellm
from weighbridge.costs.prices.importers.report import Imported
from weighbridge.costs.prices.importers.skypilot import read_skypilot

FORMS = ("skypilot", "azure", "aws", "litellm")


def read_file(
    path: Path, *, form: str, as_of: date | None = None, provider: str = "", fx: FxTable | None = None
) -> Imported:
    """The import of a file of one of `FORMS`.

    `as_of` is the day it was fetched, which AWS's own file says itself; `provider` the cloud of a SkyPilot list.
    """
    read = _reader(form, as_of, provider, fx)
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            return read(stream)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text in UTF-8"
        raise Invalid(f"{path} cannot be read: {reason}.", field="file") from error


def _reader(form: str, as_of: date | None, provider: str, fx: FxTable | None) -> Callable[[IO[str]], Imported]:
    if form not in FORMS:
        raise Invalid(f"There is no importer for {form!r}; there is one for {', '.join(FORMS)}.", field="form")
    if form == "aws":
        return read_aws
    if as_of is None:
        raise Invalid("Say on which day the list was fetched; the file does not.", field="as_of")
    day = as_of
    if form == "skypilot":
        if not provider:
            raise Invalid("Say of which cloud the list is (aws, azure, gcp); the file does not.", field="provider")
        return lambda stream: read_skypilot(stream, provider=provider, as_of=day)
    if form == "azure":
        return lambda stream: read_azure(stream, as_of=day, fx=fx)
    return lambda stream: read_litellm(stream, as_of=day)
