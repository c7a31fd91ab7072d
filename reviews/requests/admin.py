"""Django's admin: the tables of requests, read-only."""

from governance.site.admin import register_read_only
from reviews.requests.models import ReviewRequest

register_read_only(ReviewRequest)
