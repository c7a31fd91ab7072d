"""A request as a candidate of the quarter's portfolio, and why it may not be one."""

from dataclasses import dataclass

from weighbridge.costs.value.quarter_draws import QuarterDraws

NO_PROJECTION = "its request has no cost projection"
NO_VALUE = "no value is stated"
UNSERVED = "the load cannot be served in every draw"
BASELINE_UNSERVED = "its baseline cannot serve the load in every draw, so there is no cost to compare with"
SUSPENDED = "its authorization is suspended, so it does not run"


@dataclass(frozen=True, kw_only=True)
class PortfolioCandidate:
    """A request of the portfolio: pending, or the latest authorized one of a running model.

    `drawn` are the draws of the options of its projection; empty without one. `baseline` is the option over which gains
    are stated; "" is doing without, which costs nothing. `why_not` is the reason why it is left out. `artifact` is the
    digest of what is asked for. Of the quarter, `billed_usd` and `billed_hours` were billed so far; `held_usd` and
    `held_hours` are reserved, committed or billed. `money` and `hours` name the accounts that it uses; "" if its team
    has none, and then nothing limits it.
    """

    ref: str
    name: str
    is_running: bool
    environment: str = ""
    artifact: str = ""
    asked: str = ""
    baseline: str = ""
    drawn: tuple[QuarterDraws, ...] = ()
    why_not: str = ""
    billed_usd: float = 0.0
    billed_hours: float = 0.0
    held_usd: float = 0.0
    held_hours: float = 0.0
    money: str = ""
    hours: str = ""

    @property
    def asked_option(self) -> QuarterDraws | None:
        """The option that was asked for; None if it was not drawn."""
        return next((each for each in self.drawn if each.option == self.asked), None)

    @property
    def baseline_option(self) -> QuarterDraws | None:
        """The option over which gains are stated; None if it is doing without."""
        return next((each for each in self.drawn if each.option == self.baseline), None)

    @property
    def exclusion(self) -> str:
        """Why it cannot be optimized; "" if it can."""
        option, baseline = self.asked_option, self.baseline_option
        if self.why_not or option is None:
            return self.why_not or NO_PROJECTION
        if option.gain_usd is None:
            return NO_VALUE
        if not option.is_served:
            return UNSERVED
        return "" if baseline is None or baseline.is_served else BASELINE_UNSERVED

    @property
    def is_reservable(self) -> bool:
        """Whether its costs are known in every draw, and an account bears them."""
        option = self.asked_option
        return option is not None and not self.why_not and option.is_served and bool(self.money or self.hours)
