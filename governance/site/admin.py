"""Django's admin, read-only: it shows the tables of all apps, which only actions change."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
else:
    ModelAdmin = admin.ModelAdmin


class OneWayInSite(admin.AdminSite):
    """The admin without a login of its own: the pages of accounts count attempts and ask for the second factor."""

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Redirect to the login page, or to the first page of the admin. Raises PermissionDenied for other people."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.GET.get("next") or reverse("admin:index"))
        if not self.has_permission(request):
            raise PermissionDenied
        return redirect("admin:index")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]  # without the library's own options, which none of our addresses passes
        """Redirect to the page for logging out."""
        return redirect("account_logout")

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:  # type: ignore[override]  # as above
        """Redirect to the page for changing one's password."""
        return redirect("account_change_password")

    password_change_done = password_change  # type: ignore[assignment]  # the page after it does not exist: both lead to the account


class ReadOnly(ModelAdmin):
    """A read-only admin."""

    def _refuse(self, *_: Any, **__: Any) -> bool:
        return False

    has_add_permission = has_change_permission = has_delete_permission = _refuse
