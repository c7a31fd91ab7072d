"""Django's admin, read-only: it shows the models of all apps, which only actions change."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class ReadOnly(ModelAdmin):
    """A read-only admin."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Always False."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False


def register_read_only(*models: type[Model]) -> None:
    """Register these models as read-only."""
    for model in models:
        admin.site.register(model, ReadOnly)
