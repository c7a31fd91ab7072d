"""Django's admin, read-only: it shows the tables of all apps, which only actions change."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class ReadOnly(ModelAdmin):
    """A read-only admin."""

    def _refuse(self, *_: Any, **__: Any) -> bool:
        return False

    has_add_permission = has_change_permission = has_delete_permission = _refuse
