"""Addresses of the parts of a request."""

from django import template
from django.urls import reverse

from governance.budgets.queries.effects import BudgetEffect
from governance.people.domain.roles import Role
from governance.site.domain.numbers import whole_number
from reviews.workflow.domain.tabs import tab_of
from reviews.workflow.queries.view import RequestView

register = template.Library()
OWN_ADDRESSES = ("comment", "thread")


@register.filter
def holder(role: str) -> str:
    """Somebody with the role."""
    return Role(role).holder


@register.simple_tag
def part_url(ref: str, part: str) -> str:
    """The address of a part of the page of a request: its tab and its anchor.

    Comments and threads have addresses of their own, because the page shows the latest threads alone.
    """
    kind, _, rest = part.partition("-")
    number = whole_number(rest)
    if kind in OWN_ADDRESSES and number is not None:
        return reverse(f"reviews:{kind}", args=[number])
    return f"{reverse(f'reviews:{tab_of(part).value}', args=[ref])}#{part}"


@register.simple_tag
def account_url(view: RequestView, account: BudgetEffect, may_see: bool) -> str:
    """The address of an account with its ledger; "" if there is none yet, or the reader may not see it."""
    if not (may_see and account.has_account):
        return ""
    return reverse("governance:account", args=[view.team, account.quarter, account.unit])
