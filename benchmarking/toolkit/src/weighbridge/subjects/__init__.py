"""Subjects of a review: what may be filed, measured and approved, each with a digest that identifies it."""

from weighbridge.subjects.kinds import SUBJECT_KINDS, document_of, parse_subject
from weighbridge.subjects.lineage import (
    Ancestor,
    Relation,
    Statement,
    check_acyclic,
    inherits,
    lineage_document,
    lineage_of_lines,
    parse_lineage,
)
from weighbridge.subjects.statement import subject_of_statement
from weighbridge.subjects.subject import Kind, Subject, Way

__all__ = [
    "SUBJECT_KINDS",
    "Ancestor",
    "Kind",
    "Relation",
    "Statement",
    "Subject",
    "Way",
    "check_acyclic",
    "document_of",
    "inherits",
    "lineage_document",
    "lineage_of_lines",
    "parse_lineage",
    "parse_subject",
    "subject_of_statement",
]
