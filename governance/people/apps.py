"""The Django application `people`."""

from importlib import import_module

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    """Names the application."""

    name = "governance.people"

    def ready(self) -> None:
        """Listen to what happens to accounts in every process: pages, admin and commands alike."""
        import_module("governance.people.web.account_events")
        import_module("governance.people.web.session_limits")
