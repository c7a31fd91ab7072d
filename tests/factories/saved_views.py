"""Saved views."""

from datetime import datetime

from django.contrib.auth.models import User

from governance.people.models import Team
from governance.saved_views import actions
from governance.saved_views.models import SavedView


def make_view(
    by: User, *, name: str = "Drafts", team: Team | None = None, list_name: str = "reviews:list", now: datetime
) -> SavedView:
    """The drafts of the list of requests, or such a view of another list, saved by this person."""
    return actions.save_view(list_name=list_name, name=name, filters="state=draft", team=team, by=by, now=now)
