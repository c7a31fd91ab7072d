"""Django's admin: runs and data sets, read-only."""

from django.contrib import admin

from benchmarking import models
from governance.admin import ReadOnly

for model in (models.Dataset, models.Run):
    admin.site.register(model, ReadOnly)
