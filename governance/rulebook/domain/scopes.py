"""Scopes: the requests that a policy, rule, stage or checklist item applies to, and the choice of one policy."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cached_property
from itertools import combinations
from typing import Protocol, TypeVar

from weighbridge.core.documents import Reader
from weighbridge.core.errors import Invalid


class SubjectKind(StrEnum):
    """What a request is about."""

    FILE = "file"
    MANIFEST = "manifest"
    CONTAINER = "container"
    MANAGED = "managed"
    PIPELINE = "pipeline"
    DEPLOYMENT = "deployment"

    @property
    def label(self) -> str:
        """The kind in lists."""
        return _LABELS[self]


_LABELS = {
    SubjectKind.FILE: "One file",
    SubjectKind.MANIFEST: "A repository or folder of files",
    SubjectKind.CONTAINER: "A container image",
    SubjectKind.MANAGED: "A managed model behind an API",
    SubjectKind.PIPELINE: "A pipeline of several models",
    SubjectKind.DEPLOYMENT: "A language model as it is deployed",
}


class ModelTask(StrEnum):
    """What a model does."""

    CLASSIFICATION = "classification"
    LABELS = "multi-label classification"
    REGRESSION = "regression"
    FORECASTING = "forecasting"
    RANKING = "ranking"
    RETRIEVAL = "retrieval"
    DETECTION = "detection"
    SEGMENTATION = "segmentation"
    GENERATION = "generation"
    SPEECH = "speech"
    EMBEDDING = "embedding"
    UPLIFT = "uplift"
    OTHER = "other"


@dataclass(frozen=True, kw_only=True)
class EvaluationSubject:
    """The properties of a request that a scope can select. "" is unknown, and covered by every scope."""

    team: str
    tier: str
    environment: str
    kind: str = ""
    format: str = ""
    task: str = ""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The requests that something applies to. An empty dimension applies everywhere."""

    kinds: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()

    def covers(self, subject: EvaluationSubject) -> bool:
        """Whether the scope covers the subject. An unknown property is not exempt from what is about it."""
        for name, named in self._selected:
            own = getattr(subject, _PROPERTIES[name])
            if own and own not in named:
                return False
        return True

    @cached_property
    def _selected(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        return tuple(self.selected)

    @property
    def dimensions(self) -> tuple[tuple[str, ...], ...]:
        """The selected values of each dimension."""
        return tuple(getattr(self, name) for name in _PROPERTIES)

    @property
    def depth(self) -> int:
        """The number of dimensions that are selected."""
        return sum(bool(named) for named in self.dimensions)

    def meets(self, other: "Scope") -> bool:
        """Whether some subject could be covered by both."""
        pairs = zip(self.dimensions, other.dimensions, strict=True)
        return all(not own or not others or set(own) & set(others) for own, others in pairs)

    @property
    def words(self) -> str:
        """The scope as text: `production, tasks ranking, retrieval`; "everything" for an empty scope."""
        named = (f"{name} {', '.join(values)}" for name, values in self.selected)
        return "; ".join(named) or "everything"

    @property
    def selected(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The dimensions that are selected, each with its values."""
        return ((name, getattr(self, name)) for name in _PROPERTIES if getattr(self, name))


_PROPERTIES = {field.name: field.name.removesuffix("s") for field in fields(Scope)}
"""The dimensions, each with the property of the subject that it selects."""
_CHOICES: dict[str, type[StrEnum]] = {"kinds": SubjectKind, "tasks": ModelTask}


def read_scope(reader: Reader) -> Scope:
    """Read a mapping of dimensions. Raises Invalid for a kind or task that does not exist."""
    scope = Scope(**{name: reader.words(name) for name in _PROPERTIES})
    for name, choices in _CHOICES.items():
        unknown = set(getattr(scope, name)) - {choice.value for choice in choices}
        if unknown:
            raise reader.fault(name, f"contains {min(unknown)!r}. Use {', '.join(choices)}.")
    reader.close()
    return scope


class Scoped(Protocol):
    """Something with a scope and a precedence."""

    @property
    def name(self) -> str:
        """The name in error messages."""
        ...

    @property
    def applies_to(self) -> Scope:
        """The requests that it applies to."""
        ...

    @property
    def precedence(self) -> int:
        """Of two that apply, the higher one counts."""
        ...


AnyScoped = TypeVar("AnyScoped", bound=Scoped)


def chosen(candidates: Iterable[AnyScoped], *, subject: EvaluationSubject) -> AnyScoped | None:
    """The candidate that applies to the subject: of the highest precedence, and of these with the most dimensions."""
    return next(iter(applying(candidates, subject=subject)), None)


def applying(candidates: Iterable[AnyScoped], *, subject: EvaluationSubject) -> tuple[AnyScoped, ...]:
    """The candidates that apply to the subject; the first one counts."""
    covering = (candidate for candidate in candidates if candidate.applies_to.covers(subject))
    return tuple(sorted(covering, key=_rank, reverse=True))


def check_unambiguous(candidates: Sequence[Scoped]) -> None:
    """Raise Invalid if two candidates of equal rank could apply to the same subject."""
    for one, other in combinations(candidates, 2):
        if _rank(one) == _rank(other) and one.applies_to.meets(other.applies_to):
            text = (
                f"{one.name} ({one.applies_to.words}) and {other.name} ({other.applies_to.words}) could both judge "
                "the same request. Give one of them a higher precedence, or another scope."
            )
            raise Invalid(text, field="applies_to", code="ambiguous_scope")


def check_still_complete(before: Iterable[Scoped], after: Iterable[Scoped]) -> None:
    """Raise Invalid if a candidate applied to everything before, and none does after."""
    was, stays = (any(not each.applies_to.depth for each in candidates) for candidates in (before, after))
    if was and not stays:
        text = "Afterwards no policy would apply to everything, so that some requests would have none."
        raise Invalid(f"{text} Publish one for everything first.", field="applies_to", code="no_policy_for_everything")


def _rank(candidate: Scoped) -> tuple[int, int]:
    return candidate.precedence, candidate.applies_to.depth
