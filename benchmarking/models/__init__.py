"""Runs, evaluation data, sources of prices and the choice of a sandbox, and the constraints the database holds."""

from benchmarking.models.load_tests import LoadPart, LoadTest
from benchmarking.models.prices import PriceSource
from benchmarking.models.runs import Dataset, Run
from benchmarking.models.sandbox import SandboxChoice

__all__ = ["Dataset", "LoadPart", "LoadTest", "PriceSource", "Run", "SandboxChoice"]
