"""Runs, evaluation data, prices, cost projections and the choice of a sandbox, and the constraints the
database holds.
"""

from benchmarking.models.load_tests import LoadPart, LoadTest
from benchmarking.models.prices import PriceSource
from benchmarking.models.projections import CostProjection
from benchmarking.models.runs import Dataset, Run
from benchmarking.models.sandbox import SandboxChoice

__all__ = ["CostProjection", "Dataset", "LoadPart", "LoadTest", "PriceSource", "Run", "SandboxChoice"]
