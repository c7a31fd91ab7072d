"""Balances that the database adds up from the postings. `ledger.balance` defines them; a test compares both."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.db import connection

from governance.budgets.domain.ledger import COMMITS, SIGNED, SPENT, ZERO, Balance, EntryKind

# First what each request holds in each month, because a credit counts in its month alone; then what each request
# holds, because a commitment is used up by the bills of its request alone; then the account.
STATEMENT = """
WITH months AS (
    SELECT account_id, request_ref,
        COALESCE(sum(amount) FILTER (WHERE kind = ANY(%(signed)s)), 0) AS given,
        COALESCE(sum(amount) FILTER (WHERE kind = %(expire)s AND NOT is_commitment), 0) AS expired,
        COALESCE(sum(amount) FILTER (WHERE kind = %(reserve)s), 0)
            - COALESCE(sum(amount) FILTER (WHERE kind = %(release)s AND NOT is_commitment), 0) AS reserved,
        COALESCE(sum(amount) FILTER (WHERE kind = ANY(%(commits)s)), 0)
            - COALESCE(sum(amount) FILTER (WHERE is_commitment), 0) AS committed,
        COALESCE(sum(amount) FILTER (WHERE kind = ANY(%(spent)s)), 0) AS spent
    FROM budgets_ledgerentry
    WHERE account_id = ANY(%(accounts)s)
    GROUP BY account_id, request_ref, period
), requests AS (
    SELECT account_id, request_ref, sum(given) AS given, sum(expired) AS expired, sum(reserved) AS reserved,
        sum(committed) AS committed, sum(spent) AS spent, sum(GREATEST(-spent, 0)) AS withheld
    FROM months
    GROUP BY account_id, request_ref
)
SELECT account_id, sum(given) - sum(expired), sum(reserved), sum(GREATEST(committed - spent - withheld, 0)), sum(spent),
    COALESCE(sum(spent) FILTER (WHERE request_ref = ''), 0), sum(withheld), sum(expired)
FROM requests
GROUP BY account_id
"""
FIELDS = ("allocated", "reserved", "committed", "spent", "unbound", "withheld", "expired")


def own_balances(accounts: Collection[int]) -> defaultdict[int, Balance]:
    """The balance of each account with that ID, without what is delegated to others; zero without a posting."""
    parameters: dict[str, Any] = {
        "accounts": list(accounts),
        "signed": sorted(SIGNED),
        "commits": sorted(COMMITS),
        "spent": sorted(SPENT),
        "reserve": EntryKind.RESERVE.value,
        "release": EntryKind.RELEASE.value,
        "expire": EntryKind.EXPIRE.value,
    }
    with connection.cursor() as cursor:
        cursor.execute(STATEMENT, parameters)
        rows = {pk: Balance(**dict(zip(FIELDS, amounts, strict=True))) for pk, *amounts in cursor.fetchall()}
    return defaultdict(_nothing, rows)


def _nothing() -> Balance:
    return Balance(allocated=ZERO)
