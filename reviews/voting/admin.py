"""Django's admin: the tables of voting, read-only."""

from governance.site.admin import register_read_only
from reviews.voting.models import Revision, Vote

register_read_only(Revision, Vote)
