"""Tukey's fences, by hand."""

import numpy as np
import pytest

from weighbridge.statistics.order_statistics import tukey_counts


@pytest.mark.parametrize(
    ("extra", "counts"),
    [
        ([], (0, 0, 0, 0)),
        # The quartiles of 0 to 100 are 25 and 75: fences at -125, -50, 150 and 225.
        ([151], (0, 0, 1, 0)),
        ([400], (0, 0, 0, 1)),
        ([-60, -300], (1, 1, 0, 0)),
    ],
)
def test_outliers_are_counted_beyond_the_fences(extra, counts):
    samples = np.array([*np.linspace(0, 100, 2_001), *extra])
    assert tuple(tukey_counts(samples).values()) == counts


def test_without_samples_there_are_none():
    assert sum(tukey_counts(np.empty(0)).values()) == 0
