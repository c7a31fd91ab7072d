"""Choose the importer for a file and check the options it needs."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import IO

from weighbridge.core.errors import Invalid
from weighbridge.costs.prices.currency import FxTable
from weighbridge.costs.prices.importers.aws import read_aws
from weighbridge.costs.prices.importers.azure import read_azure
from weighbridge.costs.prices.importers.litellm import read_litellm
from weighbridge.costs.prices.importers.skypilot import read_skypilot
from weighbridge.costs.prices.price import PriceList

FORMS = ("skypilot", "azure", "aws", "litellm")


def read_file(
    path: Path, *, form: str, as_of: date | None = None, provider: str = "", fx: FxTable | None = None
) -> PriceList:
    """Import a file of one of `FORMS`.

    `as_of` is the day it was fetched (AWS files contain it); `provider` is the cloud of a SkyPilot list.
    """
    read = _reader(form, as_of, provider, fx)
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            return read(stream)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise Invalid(f"{path} cannot be read: {reason}.", field="file") from error


def _reader(form: str, as_of: date | None, provider: str, fx: FxTable | None) -> Callable[[IO[str]], PriceList]:
    if form not in FORMS:
        raise Invalid(f"There is no importer for {form!r}; choose one of {', '.join(FORMS)}.", field="form")
    if form == "aws":
        return read_aws
    if as_of is None:
        raise Invalid("Give the day on which the list was fetched; the file does not contain it.", field="as_of")
    day = as_of
    if form == "skypilot":
        if not provider:
            raise Invalid(
                "Give the cloud of the list (aws, azure, gcp); the file does not contain it.", field="provider"
            )
        return lambda stream: read_skypilot(stream, provider=provider, as_of=day)
    if form == "azure":
        return lambda stream: read_azure(stream, as_of=day, fx=fx)
    return lambda stream: read_litellm(stream, as_of=day)
