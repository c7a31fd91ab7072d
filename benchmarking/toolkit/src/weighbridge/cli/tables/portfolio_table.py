"""The choice of a portfolio for the terminal: the models, the accounts, and what binds."""

from math import ceil
from typing import TYPE_CHECKING

from weighbridge.cli.tables.terminal import number, table_of
from weighbridge.core.metrics.units import share_text
from weighbridge.tradeoff.portfolio.outcome import PortfolioOutcome
from weighbridge.tradeoff.portfolio.problem import BudgetLimit, PortfolioProblem
from weighbridge.tradeoff.portfolio.sensitivity import STEPS, Binding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

HEADINGS = ("account", "unit", "budget", "expected", "P90", "P(over)", "95 % interval", "asked: P(over)")


def portfolio_parts(outcome: PortfolioOutcome, problem: PortfolioProblem) -> "Iterator[Table | str]":
    """Yield the choice of each model, the use of each account, and the reasons."""
    choices = (
        (each.model, each.asked, each.variant, number(each.asked_value), number(each.value)) for each in outcome.choices
    )
    headings = ("model", "asked", "chosen", "asked: USD", "value, USD")
    yield table_of("Choice", headings, choices, text_columns=("model", "asked", "chosen"))
    uses = zip(outcome.totals.accounts, outcome.asked.accounts, strict=True)
    rows = (
        (
            use.name,
            use.unit,
            number(use.budget),
            number(use.expected),
            number(use.p90),
            share_text(use.over, decimals=1),
            f"{share_text(use.over_lower, decimals=1)} to {share_text(use.over_upper, decimals=1)}",
            share_text(asked.over, decimals=1),
        )
        for use, asked in uses
    )
    yield table_of("Accounts", HEADINGS, rows, text_columns=("account", "unit"))
    yield from portfolio_sentences(outcome, problem)


def portfolio_sentences(outcome: PortfolioOutcome, problem: PortfolioProblem) -> "Iterator[str]":
    """Yield what the choice is worth, how good it is, what binds, and what would make it possible."""
    yield from value_sentences(outcome, problem)
    yield from account_sentences(outcome, problem)


def value_sentences(outcome: PortfolioOutcome, problem: PortfolioProblem) -> "Iterator[str]":
    """Yield what the choice is worth and how good it is; nothing about a single account."""
    whose = "any account" if problem.jointly else "each account"
    limit = f"at most {share_text(problem.over_at_most)} of {problem.draws:,} draws may exceed {whose}"
    if not outcome.holds:
        found = "No choice keeps" if outcome.is_proven else "The search found no choice that keeps"
        yield f"{found} the budgets ({limit})."
        return
    yield (
        f"Expected net value: {number(outcome.totals.value)} USD ({number(outcome.totals.value_p10)} to "
        f"{number(outcome.totals.value_p90)} USD in 80 % of the draws); as asked {number(outcome.asked.value)} USD. "
        f"The limit: {limit}."
    )
    if outcome.is_proven:
        yield "No other choice is better (proven)."
    else:
        more = _cents(ceil((outcome.bound - outcome.totals.value) * 100) / 100)
        yield f"No other choice is worth more than {more} USD more (proven bound: {number(outcome.bound)} USD)."


def account_sentences(outcome: PortfolioOutcome, problem: PortfolioProblem) -> "Iterator[str]":
    """Yield which accounts bind and what more of them is worth, or what more of them makes the choice possible."""
    parts = [f"{_cents(more)} {account.unit} more for {account.name}" for account, more in outcome.change]
    if parts:
        yield f"It becomes possible with {' and '.join(parts)}."
    for binding in outcome.bindings:
        yield _binding_sentence(binding, problem.accounts[binding.account])
    if outcome.holds and not outcome.bindings:
        yield "No budget binds." if outcome.is_proven else "The search found no budget that binds."


def _binding_sentence(binding: Binding, account: BudgetLimit) -> str:
    if binding.lost is None:
        begins = "refuses a better variant" if binding.refuses else "may bind"
        return f"{account.name} {begins}. The time was over before more of it was tried."
    if binding.lost == 0:
        found = "adds nothing" if binding.is_exact else "adds nothing that the search found"
        return f"{account.name} binds together with other accounts: more of it alone {found}."
    if not binding.is_exact:
        return _found_sentence(binding, binding.lost, account)
    text = f"{account.name} binds: without this limit the value would be {number(binding.lost)} USD higher."
    if binding.step is None or binding.gain is None:
        return text
    text += f" {number(binding.step)} {account.unit} more would add {number(binding.gain)} USD"
    return f"{text}." if binding.step == STEPS[0] else f"{text}; {number(binding.step / 10)} more would add nothing."


def _found_sentence(binding: Binding, lost: float, account: BudgetLimit) -> str:
    """What the search found with more of an account. The best choice without it, and with less of it, is not proven."""
    text = f"{account.name} binds: without this limit the search found a choice that is worth {number(lost)} USD more."
    if binding.step is None or binding.gain is None:
        return text
    text += f" With {number(binding.step)} {account.unit} more it found {number(binding.gain)} USD more"
    return f"{text}." if binding.step == STEPS[0] else f"{text}; with {number(binding.step / 10)} more nothing."


def _cents(amount: float) -> str:
    """An amount that was rounded up to cents, and is not rounded again."""
    return f"{amount:,.2f}".removesuffix(".00")
