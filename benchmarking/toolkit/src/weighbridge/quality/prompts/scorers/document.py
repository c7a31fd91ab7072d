"""Reading a scorer: the document `{"scorer": NAME, …}` of a prompt."""

import dataclasses
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from weighbridge.core.canonical import digest_of
from weighbridge.core.documents import Reader
from weighbridge.quality.prompts.answer_file import PromptAnswer
from weighbridge.quality.prompts.scorers.choices import read_choice
from weighbridge.quality.prompts.scorers.numbers import read_numeric
from weighbridge.quality.prompts.scorers.structures import read_json_schema, read_tool_call
from weighbridge.quality.prompts.scorers.texts import read_contains_all, read_exact, read_regex

Check = Callable[[PromptAnswer], bool]


class ScorerKind(StrEnum):
    """What a scorer looks at."""

    EXACT = "exact"
    REGEX = "regex"
    NUMERIC = "numeric"
    CHOICE = "choice"
    CONTAINS_ALL = "contains_all"
    JSON_SCHEMA = "json_schema"
    TOOL_CALL = "tool_call"


READERS: Mapping[ScorerKind, Callable[[Reader], Check]] = {
    ScorerKind.EXACT: read_exact,
    ScorerKind.REGEX: read_regex,
    ScorerKind.NUMERIC: read_numeric,
    ScorerKind.CHOICE: read_choice,
    ScorerKind.CONTAINS_ALL: read_contains_all,
    ScorerKind.JSON_SCHEMA: read_json_schema,
    ScorerKind.TOOL_CALL: read_tool_call,
}


@dataclasses.dataclass(frozen=True)
class Scorer:
    """A scorer: `check` tells whether an answer is right; `digest` is that of its document."""

    kind: ScorerKind
    check: Check
    digest: str


def scorer_of(document: Mapping[str, Any], *, path: str = "expected") -> Scorer:
    """Return the scorer of a document; raise Invalid for another document, ExtraMissing without its library.

    `path` says where the document stands. `check` raises TimeoutError if a pattern takes longer than its limit.
    """
    reader = Reader(document, path=path)
    kind = reader.choice("scorer", ScorerKind)
    check = READERS[kind](reader)
    reader.close()
    return Scorer(kind, check, digest_of(document))
