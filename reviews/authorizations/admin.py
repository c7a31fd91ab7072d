"""Django's admin: the tables of authorizations, read-only."""

from governance.site.admin import register_read_only
from reviews.authorizations.models import Authorization, Condition, Decision, ReReview

register_read_only(Authorization, Condition, Decision, ReReview)
