"""The result of another tool, as far as its files state it."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from weighbridge.core.converter import to_document

SCHEMA = "weighbridge.imported/1"


class ImportStatus(StrEnum):
    """How far an imported result can be used: as it is, together with its doubts, or not as evidence."""

    VALID = "valid"
    INDICATIVE = "indicative"
    INVALID = "invalid"


@dataclasses.dataclass(frozen=True)
class Doubt:
    """A reason why a result is indicative or invalid; `message` is a sentence."""

    status: ImportStatus
    message: str


@dataclasses.dataclass(frozen=True)
class ImportVerdict:
    """The doubts about a result, and the worst of their statuses; valid without doubts."""

    status: ImportStatus
    doubts: tuple[Doubt, ...]


@dataclasses.dataclass(frozen=True)
class Absent:
    """A value that the files do not give, or that cannot be taken from them; `reason` is a sentence."""

    name: str
    reason: str


@dataclasses.dataclass(frozen=True)
class ImportedMetric:
    """A value in its unit, with the exact digits of the file.

    `n` is the sample size. `lower` and `upper` bound the value at `confidence`; either may be missing. `observed` are
    points of the distribution that the value belongs to: a share from 0 to 1 and the value below which it lies.
    """

    name: str
    value: Decimal
    unit: str
    n: int | None = None
    lower: Decimal | None = None
    upper: Decimal | None = None
    confidence: Decimal | None = None
    observed: tuple[tuple[Decimal, Decimal], ...] = ()


@dataclasses.dataclass(frozen=True)
class SubjectHint:
    """What a file says about the model or the data: a name, a digest (`sha256:…`), the number of rows."""

    name: str | None = None
    digest: str | None = None
    n: int | None = None


@dataclasses.dataclass(frozen=True)
class ReadFile:
    """A file that was read: its name, and `sha256:` of its content."""

    name: str
    digest: str


@dataclasses.dataclass(frozen=True)
class StudyDetail:
    """One line of a study, as text."""

    label: str
    value: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudySummary:
    """What a study says besides its metrics: its kind, its conclusions in sentences, and what they rest on."""

    kind: str
    title: str
    conclusions: tuple[str, ...]
    details: tuple[StudyDetail, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class ImportedResult:
    """One result in the files of a tool; `part` names it if the files hold several.

    A `study` is read as a whole, with or without metrics; other results have metrics alone. Times have a time zone;
    those without one in the file are absent. `conditions` are the settings and the environment of the run, as text.
    Nothing here is verified: who vouches for it is decided elsewhere.
    """

    reader: str
    tool: str
    tool_version: str | None
    part: str
    started_at: datetime | None
    ended_at: datetime | None
    model: SubjectHint
    data: SubjectHint
    conditions: Mapping[str, str]
    metrics: tuple[ImportedMetric, ...]
    absent: tuple[Absent, ...]
    verdict: ImportVerdict
    files: tuple[ReadFile, ...]
    study: StudySummary | None = None


def imported_document(results: Sequence[ImportedResult]) -> dict[str, Any]:
    """Return the results as `weighbridge.imported/1`: JSON types, numbers as text so that they stay exact."""
    return {"schema": SCHEMA, "results": to_document(tuple(results))}
