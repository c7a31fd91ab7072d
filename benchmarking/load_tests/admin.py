"""Django's admin: runs, load tests, data sets, prices, projections and choices of the sandbox, read-only."""

from django.contrib import admin

from benchmarking.load_tests import models as load_tests_models
from benchmarking.prices import models as prices_models
from benchmarking.projections import models as projections_models
from benchmarking.runs import models as runs_models
from governance.people.admin import ReadOnly

for model in (
    projections_models.CostProjection,
    runs_models.Dataset,
    load_tests_models.LoadPart,
    load_tests_models.LoadTest,
    prices_models.PriceSource,
    runs_models.Run,
    runs_models.SandboxChoice,
):
    admin.site.register(model, ReadOnly)
