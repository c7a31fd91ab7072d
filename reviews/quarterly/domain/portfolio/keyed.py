"""A problem with the digest of its content, so that equal problems are solved once."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Self

from weighbridge.tradeoff.portfolio.problem import PortfolioProblem


@dataclass(frozen=True)
class KeyedProblem:
    """Two are equal if their digests are: the same models, variants, draws, accounts and limits, in the same order."""

    digest: str
    problem: PortfolioProblem = field(compare=False)

    @classmethod
    def of(cls, problem: PortfolioProblem) -> Self:
        """The problem with its digest."""
        total = sha256(repr((problem.accounts, problem.over_at_most, problem.jointly)).encode())
        for model in problem.models:
            total.update(repr((model.name, len(model.variants))).encode())
            for variant in model.variants:
                total.update(repr((variant.name, sorted(variant.uses), len(variant.value))).encode())
                for draws in (variant.value, *(used for _, used in sorted(variant.uses.items()))):
                    total.update(draws.tobytes())
        return cls(total.hexdigest(), problem)
