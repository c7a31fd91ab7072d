"""Django's admin: the tables of budgets, read-only."""

from governance.budgets.models import BudgetAccount, CostCenter, LedgerEntry
from governance.site.admin import register_read_only

register_read_only(BudgetAccount, CostCenter, LedgerEntry)
