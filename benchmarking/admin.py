"""Django's admin: runs, data sets and choices of the sandbox, read-only."""

from django.contrib import admin

from benchmarking import models
from governance.admin import ReadOnly

for model in (models.Dataset, models.Run, models.SandboxChoice):
    admin.site.register(model, ReadOnly)
