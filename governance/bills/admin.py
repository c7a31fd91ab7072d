"""Django's admin: the tables of bills, read-only."""

from governance.bills.models import AllocationRule, AllocationVersion, Bill, BillSlice, ExchangeRate, SpendLine
from governance.site.admin import register_read_only

register_read_only(AllocationRule, AllocationVersion, Bill, BillSlice, ExchangeRate, SpendLine)
