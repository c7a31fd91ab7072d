"""Models that their provider may change under the same name: managed models without a snapshot."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from weighbridge.subjects.kinds import parse_subject, parts_of
from weighbridge.subjects.managed import MANAGED, is_alias
from weighbridge.subjects.subject import Subject


def managed_models(document: Mapping[str, Any]) -> tuple[Subject, ...]:
    """The managed models that a stored subject is or contains; none for a file, whose document is empty."""
    return tuple(_managed(parse_subject(document))) if document else ()


def aliases_of(subjects: Iterable[Subject]) -> tuple[str, ...]:
    """The names of the managed models without a snapshot, like `openai/gpt-5-mini`."""
    return tuple(subject.title for subject in subjects if is_alias(subject))


def _managed(subject: Subject) -> Iterator[Subject]:
    if subject.kind == MANAGED.kind:
        yield subject
    for part in parts_of(subject):
        yield from _managed(part)
