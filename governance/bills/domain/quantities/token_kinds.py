"""The kind of tokens that a bill row counts: the model, its snapshot, the direction and what the cache did.

The properties of a SKU come first (SkuPriceDetails of FOCUS: ModelId, ModelVersion, TokenDirection, TokenCacheAction),
then keys and columns that begin with `x_`, then the patterns of meter names. What none of them names stays empty,
and the row counts as unmatched. Source: FOCUS, SkuPriceDetails.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from weighbridge.core.canonical import digest_of
from weighbridge.core.errors import Refused
from weighbridge.core.parsing.json_text import parse_json

DIRECTIONS = ("input", "output")
CACHE_ACTIONS = ("read", "write", "uncached", "other")
FIELDS = {
    "model": ("ModelId", "x_ModelId"),
    "snapshot": ("ModelVersion", "x_ModelVersion"),
    "direction": ("TokenDirection", "x_TokenDirection"),
    "cache_action": ("TokenCacheAction", "x_TokenCacheAction"),
}
MODEL_CHARS_MAX = 200
TOKENS_PER = {"": 1, "thousand": 1_000, "million": 1_000_000}
_DATE = re.compile(r"(?<![0-9])20[0-9]{2}-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12][0-9]|3[01])(?![0-9])")
_SCALES = {"1000": "thousand", "1k": "thousand", "k": "thousand", "kilo": "thousand", "thousands": "thousand"}
_SCALES |= {"1000000": "million", "1m": "million", "m": "million", "mega": "million", "millions": "million"}
_SCALES |= {"1": "", "of": "", "thousand": "thousand", "million": "million"}


@dataclass(frozen=True)
class TokenKind:
    """The model as billed, its snapshot, `direction` (input or output) and `cache_action`; empty where unknown."""

    model: str = ""
    snapshot: str = ""
    direction: str = ""
    cache_action: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether model and direction are known. Then the tokens are matched."""
        return bool(self.model and self.direction)

    def filled_from(self, other: "TokenKind") -> "TokenKind":
        """This kind, with the other's values where this one has none."""
        return TokenKind(
            self.model or other.model,
            self.snapshot or other.snapshot,
            self.direction or other.direction,
            self.cache_action or other.cache_action,
        )


def kind_in(values: Mapping[str, Any], *, is_standard: bool) -> TokenKind:
    """The kind that properties or columns name: by their FOCUS names, or by those that begin with `x_`.

    Unknown directions and cache actions count as unknown, never as input.
    """
    found = {}
    for field, names in FIELDS.items():
        texts = [_text(values.get(name)) for name in names if name.startswith("x_") is not is_standard]
        found[field] = next((text for text in texts if text), "")
    direction, action = found["direction"].lower(), found["cache_action"].lower()
    return TokenKind(
        found["model"],
        found["snapshot"],
        direction if direction in DIRECTIONS else "",
        action if action in CACHE_ACTIONS else "",
    )


def properties_in(details: str | None) -> dict[str, Any]:
    """The properties of a SKU (JSON); empty if there are none or the JSON is invalid."""
    try:
        parsed = parse_json(details or "{}", is_cleaning=True)
    except Refused:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def with_snapshot(kind: TokenKind) -> TokenKind:
    """The kind with the snapshot that the date in the model's name states, if it has no other."""
    dated = None if kind.snapshot else _DATE.search(kind.model)
    return TokenKind(kind.model, dated[0], kind.direction, kind.cache_action) if dated else kind


def bare_name(model: str, snapshot: str = "") -> str:
    """The name of a model without the seller's name space before it and the snapshot after it.

    `openai/gpt-4o-2024-08-06` is `gpt-4o`.
    """
    name = model.rpartition("/")[2]
    if snapshot and name.endswith(snapshot):
        return name[: -len(snapshot)].rstrip("-@:. ") or name
    return name


def is_same_model(planned: str, *, billed: str, snapshot: str = "") -> bool:
    """Whether a planned model is the billed one, whatever the name space, the spelling and the snapshot."""
    names = {_folded(bare_name(billed)), _folded(bare_name(billed, snapshot))}
    return _folded(bare_name(planned)) in names


def subject_of(*, provider: str, kind: TokenKind, region: str) -> str:
    """The digest of what the provider offers: provider, model, snapshot and region, as of a managed model.

    It equals `weighbridge.subjects.managed.offer_digest` of a subject with these names. Empty without a model or a
    snapshot, because an alias does not say which model answered.
    """
    if not kind.model or not kind.snapshot:
        return ""
    offer = {
        "kind": "managed",
        "provider": provider.strip().lower(),
        "model": bare_name(kind.model, kind.snapshot),
        "snapshot": kind.snapshot,
        "region": region,
    }
    return digest_of(offer)


def tokens_per(unit: str | None) -> int:
    """The tokens in one unit: 1 of `Tokens`, 1,000 of `1K tokens`, 1,000,000 of `Million Tokens`; else 0."""
    words = re.findall(r"[0-9]+[km]?|[a-z]+", (unit or "").lower().replace(",", ""))
    if words and words[-1] in {"mtokens", "ktokens"}:
        words[-1:] = [words[-1][0], "tokens"]
    if not words or words[-1] not in {"token", "tokens"} or any(word not in _SCALES for word in words[:-1]):
        return 0
    return TOKENS_PER.get("".join(_SCALES[word] for word in words[:-1]), 0)


def _folded(name: str) -> str:
    return name.lower().replace(" ", "-")


def _text(value: object) -> str:
    return str(value).strip()[:MODEL_CHARS_MAX] if value is not None and not isinstance(value, dict | list) else ""
