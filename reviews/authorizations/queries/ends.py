"""When a permission to run a model ends: by its policy, by what its vendor retires, or with the price of a contract."""

from datetime import date, datetime, timedelta

from benchmarking.prices.queries import contract_end, managed_sku, price_book
from governance.inventory.domain.aliases import aliases_of
from governance.inventory.domain.retirement import end_of
from governance.inventory.models import ModelVersion
from governance.inventory.queries import managed_within, retirement_day
from governance.rulebook.domain.policy import AuthorizationTerms, Policy
from reviews.authorizations.queries.retiring import check_not_retired

A_DAY = timedelta(days=1)


def terms_for(version: ModelVersion, *, policy: Policy) -> AuthorizationTerms:
    """The terms of the policy for this version: shorter ones if its provider may change it."""
    return policy.authorization.for_alias if aliases_of(managed_within(version)) else policy.authorization


def end_by(version: ModelVersion, *, days: int, now: datetime) -> datetime:
    """The end of a permission that is given now, whichever is first.

    After so many days; when a vendor retires the version or a part of it; when the contract ends whose price a managed
    model has today. Raises WrongState if it is retired already.
    """
    check_not_retired(retirement_day(version), now=now)
    return _first_end(version, days, now)


def days_authorized(version: ModelVersion, *, policy: Policy, now: datetime) -> int:
    """The days for which an approval now would authorize the version; at least one, also if it is retired already."""
    end = _first_end(version, terms_for(version, policy=policy).valid_days, now)
    return max(1, (end.date() - now.date()).days)


def _first_end(version: ModelVersion, days: int, now: datetime) -> datetime:
    day, ends = retirement_day(version), [now + timedelta(days=days)]
    if day is not None:
        ends.append(end_of(day))
    for model in managed_within(version):
        book = price_book(now.date())
        last = contract_end(book, sku=managed_sku(book, subject=model))
        if last is not None and last < date.max:  # "until 9999-12-31" is how some write that a contract has no end
            ends.append(end_of(last + A_DAY))
    return min(ends)
