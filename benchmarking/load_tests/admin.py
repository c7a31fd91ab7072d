"""Django's admin: the tables of load tests, read-only."""

from benchmarking.load_tests.models import LoadPart, LoadTest
from governance.site.admin import register_read_only

register_read_only(LoadPart, LoadTest)
