"""Django's admin: runs, load tests, data sets, prices, projections and choices of the sandbox, read-only."""

from django.contrib import admin

from benchmarking import models
from governance.admin import ReadOnly

for model in (
    models.CostProjection,
    models.Dataset,
    models.LoadPart,
    models.LoadTest,
    models.PriceSource,
    models.Run,
    models.SandboxChoice,
):
    admin.site.register(model, ReadOnly)
