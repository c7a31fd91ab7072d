"""Django's admin: the tables of prices, read-only."""

from benchmarking.prices.models import PriceSource
from governance.site.admin import register_read_only

register_read_only(PriceSource)
