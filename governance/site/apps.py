"""The Django application `admin`, with the site of this project."""

from django.contrib.admin import apps


class OneWayInConfig(apps.AdminConfig):
    """Configuration of the application."""

    default = False  # of the subject `site`
    default_site = "governance.site.admin.OneWayInSite"
