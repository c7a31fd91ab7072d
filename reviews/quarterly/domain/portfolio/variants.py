"""The variants of one model of the quarter's portfolio: as asked, its alternatives, keep running, retire, wait.

    value = gain over the baseline - (cost - cost of the baseline)

Retiring and waiting fall back to the baseline, so they bear its cost and gain nothing over it. If the baseline of a new
version is the version that runs, the value of what runs is added: then all values of the model are over one baseline.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reviews.quarterly.domain.portfolio.candidate import PortfolioCandidate
from weighbridge.costs.value.quarter_draws import QuarterDraws
from weighbridge.tradeoff.portfolio.problem import Draws, PortfolioModel, PortfolioVariant

AS_ASKED, KEEP, RETIRE, WAIT = "as asked", "keep running", "retire", "wait"


@dataclass(frozen=True, kw_only=True)
class _Titled:
    """A variant before it has a name. `title` may occur twice; `apart` tells equal ones apart."""

    title: str
    apart: str
    prefix: str
    value: Draws
    uses: dict[str, Draws]


def optimized_model(running: PortfolioCandidate | None, pending: Sequence[PortfolioCandidate]) -> PortfolioModel:
    """The model with its variants. The first is what was asked last, or what runs if nothing is pending."""
    return _Model(running, pending).model()


def reserved_model(candidates: Sequence[PortfolioCandidate]) -> PortfolioModel:
    """A model without a choice or a value: in each draw it uses what the candidate that costs more would use."""
    running = next((each for each in candidates if each.is_running), None)
    model = _Model(running, [each for each in candidates if each is not running])
    uses: dict[str, Draws] = {}
    for each in candidates:
        option = each.asked_option
        assert option is not None  # noqa: S101 -- only such candidates are reserved
        for name, used in model.used(each, option).items():
            uses[name] = np.maximum(uses[name], used) if name in uses else used
    nothing = np.zeros_like(next(iter(uses.values())))
    return PortfolioModel(name=_name(candidates), variants=(PortfolioVariant(name=AS_ASKED, value=nothing, uses=uses),))


def _name(members: Sequence[PortfolioCandidate]) -> str:
    return f"{members[0].name} ({', '.join(each.ref for each in members)})"


class _Model:
    """The candidates of one model that are optimized together."""

    def __init__(self, running: PortfolioCandidate | None, pending: Sequence[PortfolioCandidate]) -> None:
        self._running, self._pending = running, pending
        self._members = (*pending, *([running] if running is not None else []))

    def model(self) -> PortfolioModel:
        """The model with the variants of all candidates, each with a name of its own."""
        found = [*self._of_pending(), *self._of_running(), *self._without()]
        titles = Counter(each.title for each in found)
        variants = (
            PortfolioVariant(
                name=each.prefix + (each.title if titles[each.title] == 1 else f"{each.title} ({each.apart})"),
                value=each.value,
                uses=each.uses,
            )
            for each in found
        )
        return PortfolioModel(name=_name(self._members), variants=tuple(variants))

    def _of_pending(self) -> list[_Titled]:
        found = []
        for number, candidate in enumerate(self._pending):
            for option in _alternatives(candidate):
                is_asked = number == 0 and option.option == candidate.asked
                apart = option.option if len(self._members) == 1 else f"{option.option}, {candidate.ref}"
                found.append(self._titled(candidate, option, prefix=f"{AS_ASKED}: " if is_asked else "", apart=apart))
        return found

    def _of_running(self) -> list[_Titled]:
        """What runs, and its alternatives unless a pending request offers others."""
        running = self._running
        if running is None:
            return []
        if self._pending:
            option = running.asked_option
            assert option is not None  # noqa: S101 -- it is not excluded
            return [self._titled(running, option, prefix=f"{KEEP}: ", apart=f"{option.option}, {running.ref}")]
        return [
            self._titled(
                running, each, prefix=f"{AS_ASKED}: " if each.option == running.asked else "", apart=each.option
            )
            for each in _alternatives(running)
        ]

    def _without(self) -> list[_Titled]:
        """Retire or wait: the baseline does the work; none if the baseline itself runs or is asked for."""
        first = self._running or self._pending[0]
        if any(each.asked == each.baseline == first.baseline for each in self._members):
            return []
        word, option = (WAIT if self._running is None else RETIRE), first.baseline_option
        if option is not None:
            return [self._titled(first, option, prefix=f"{word}: ", apart=option.option)]
        billed = np.full(len(first.drawn[0].running_usd), self._billed_usd)
        uses = _uses(first, billed, np.full_like(billed, self._billed_hours))
        return [_Titled(title=word, apart="without", prefix="", value=-billed, uses=uses)]

    def _titled(self, candidate: PortfolioCandidate, option: QuarterDraws, *, prefix: str, apart: str) -> _Titled:
        value = self._value(candidate, option)
        return _Titled(title=option.title, apart=apart, prefix=prefix, value=value, uses=self.used(candidate, option))

    def _value(self, candidate: PortfolioCandidate, option: QuarterDraws) -> Draws:
        baseline, cost = candidate.baseline_option, self._cost(candidate, option)
        reference = self._planned(candidate, baseline) if baseline is not None else np.zeros_like(cost)
        gain = option.gain_usd if option.gain_usd is not None else np.zeros_like(cost)
        value: Draws = gain - (cost - reference)
        running = self._running
        if running is None or candidate.baseline == running.baseline:
            return value
        asked = running.asked_option
        assert asked is not None  # noqa: S101 -- it is not excluded
        over_running: Draws = value + self._value(running, asked)
        return over_running

    def used(self, candidate: PortfolioCandidate, option: QuarterDraws) -> dict[str, Draws]:
        """What an option uses of the accounts. What is billed already is used by every option."""
        hours = np.full_like(option.running_usd, self._billed_hours)
        if self._is_trained(candidate, option):
            hours = np.maximum(hours, max(each.held_hours for each in (candidate, self._running or candidate)))
        else:
            hours = np.maximum(hours, option.training_gpu_hours)
        return _uses(candidate, self._cost(candidate, option), hours)

    def _cost(self, candidate: PortfolioCandidate, option: QuarterDraws) -> Draws:
        cost: Draws = np.maximum(self._planned(candidate, option), self._billed_usd)
        return cost

    def _planned(self, candidate: PortfolioCandidate, option: QuarterDraws) -> Draws:
        return option.running_usd + (0 if self._is_trained(candidate, option) else option.training_usd)

    def _is_trained(self, candidate: PortfolioCandidate, option: QuarterDraws) -> bool:
        """Whether the option runs already: as authorized, as the baseline of a newer version, or asked for again."""
        running = self._running
        if running is None or option.option != running.asked:
            return False
        is_again = bool(candidate.artifact) and candidate.artifact == running.artifact
        return candidate is running or is_again or option.option == candidate.baseline

    @property
    def _billed_usd(self) -> float:
        return sum(each.billed_usd for each in self._members)

    @property
    def _billed_hours(self) -> float:
        return sum(each.billed_hours for each in self._members)


def _alternatives(candidate: PortfolioCandidate) -> list[QuarterDraws]:
    """What was asked for, and the other options with a value that serve the load; the baseline stands for itself."""
    asked = [each for each in candidate.drawn if each.option == candidate.asked]
    others = [each for each in candidate.drawn if each.option not in (candidate.asked, candidate.baseline)]
    return [each for each in (*asked, *others) if each.gain_usd is not None and each.is_served]


def _uses(candidate: PortfolioCandidate, cost: Draws, hours: Draws) -> dict[str, Draws]:
    return {name: used for name, used in ((candidate.money, cost), (candidate.hours, hours)) if name}
