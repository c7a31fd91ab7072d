"""Django's admin: every table of ours that has no admin of its own is shown read-only, but for personal notes."""

from django.apps import apps
from django.contrib import admin

from governance.jobs.models import Pulse
from governance.site.admin import ReadOnly
from governance.site.models import AnsweredPost

PERSONAL = "reviews.notes."

for model in apps.get_models():
    is_ours = model.__module__.startswith(("benchmarking.", "governance.", "reviews."))
    is_ours = is_ours and not model.__module__.startswith(PERSONAL)
    if is_ours and model not in {Pulse, AnsweredPost} and not admin.site.is_registered(model):
        admin.site.register(model, ReadOnly)
