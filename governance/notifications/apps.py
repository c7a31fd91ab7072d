"""The Django application `notifications`."""

from importlib import import_module

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Configuration of the application."""

    name = "governance.notifications"

    def ready(self) -> None:
        """Listen to the subjects below this one in all processes: web, admin, workers and commands."""
        import_module("governance.notifications.outbox.listeners")
