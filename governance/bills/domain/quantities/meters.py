"""Names of meters, by vendor: which model, direction and cache action the tokens of a meter have."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from governance.bills.domain.quantities.token_kinds import CACHE_ACTIONS, DIRECTIONS, TokenKind
from weighbridge.core.documents import API_VERSION, Reader
from weighbridge.core.parsing.yaml_text import parse_yaml

METER_CHARS_MAX = 200


@dataclass(frozen=True)
class MeterPattern:
    """A pattern of meter names, and the kind of their tokens; its group `model` is the model."""

    pattern: re.Pattern[str]
    direction: str
    cache_action: str


def kind_of_meter(provider: str, meter: str) -> TokenKind | None:
    """The kind of tokens that a meter of a provider counts; None if no pattern matches its whole name.

    Names of more than 200 characters match nothing.
    """
    if len(meter) > METER_CHARS_MAX:
        return None
    for each in shipped_patterns().get(provider.strip().lower(), ()):
        found = each.pattern.fullmatch(meter)
        if found:
            return TokenKind(found["model"].strip(), "", each.direction, each.cache_action)
    return None


@cache
def shipped_patterns() -> dict[str, tuple[MeterPattern, ...]]:
    """The patterns of the shipped file `meters.yaml`, by the name of a provider in small letters."""
    text = files("governance.bills.domain.quantities").joinpath("meters.yaml").read_text(encoding="utf-8")
    return read_patterns(parse_yaml(text, name="meters.yaml"))


def read_patterns(document: object) -> dict[str, tuple[MeterPattern, ...]]:
    """Read the patterns of a parsed document, by provider. Raises Invalid with the path of the error."""
    reader = Reader(document)
    reader.constant("apiVersion", API_VERSION)
    reader.constant("kind", "TokenMeters")
    vendors = reader.items("vendors", _vendor)
    reader.close()
    return {provider: patterns for providers, patterns in vendors for provider in providers}


def _vendor(reader: Reader) -> tuple[tuple[str, ...], tuple[MeterPattern, ...]]:
    reader.text("name")
    return reader.words("providers"), reader.items("meters", _meter)


def _meter(reader: Reader) -> MeterPattern:
    text, direction, action = reader.text("match"), reader.text("direction"), reader.text("cache_action")
    if direction not in DIRECTIONS:
        raise reader.fault("direction", f"must be one of {', '.join(DIRECTIONS)}.")
    if action not in CACHE_ACTIONS:
        raise reader.fault("cache_action", f"must be one of {', '.join(CACHE_ACTIONS)}.")
    try:
        pattern = re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise reader.fault("match", f"is no regular expression ({error}).") from error
    if "model" not in pattern.groupindex:
        raise reader.fault("match", "must have a group named model.")
    return MeterPattern(pattern, direction, action)
