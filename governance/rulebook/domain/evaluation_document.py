"""Determinations read back from the documents they were recorded as, to set what was decided beside what holds now."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from governance.rulebook.domain.evaluation import Determination, Outcome, RuleResult, RuleStatus
from governance.rulebook.domain.policy import Effect, Level
from weighbridge.core.metrics import Basis, Figure


def determination_from(document: Mapping[str, Any]) -> Determination:
    """The determination that `Determination.as_document` recorded. Raises KeyError or ValueError for anything else."""
    results = tuple(_result_from(result) for result in document["results"])
    return Determination(Outcome(document["outcome"]), results, document["policy_digest"])


def figure_from(document: Mapping[str, Any]) -> Figure:
    """The figure that `figure_document` recorded."""
    return Figure(
        **{
            **document,
            "basis": Basis(document["basis"]),
            "observed_at": datetime.fromisoformat(document["observed_at"]),
            "valid_until": datetime.fromisoformat(document["valid_until"]) if document["valid_until"] else None,
            **{name: _decimal(document.get(name)) for name in ("value", "lower", "upper", "confidence", "p80")},
        }
    )


def _result_from(document: Mapping[str, Any]) -> RuleResult:
    return RuleResult(
        **{
            **document,
            "status": RuleStatus(document["status"]),
            "effect": Effect(document["effect"]) if document["effect"] else None,
            "level": Level(document["level"]),
            "figure": figure_from(document["figure"]) if document["figure"] else None,
            "observed": _decimal(document["observed"]),
        }
    )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
