"""The kernel's high-water mark."""

import numpy as np

from weighbridge.measure.conditions.memory import peak_bytes, reset_peak, resident_bytes


def test_the_peak_remembers_what_was_given_back():
    assert reset_peak() is True
    before = peak_bytes()
    block = np.ones(50_000_000, dtype=np.uint8)
    del block
    assert 40_000_000 < peak_bytes() - before < 80_000_000
    assert reset_peak() is True
    assert peak_bytes() - before < 40_000_000


def test_what_the_kernel_does_not_tell_is_none(tmp_path):
    assert (peak_bytes(tmp_path), reset_peak(tmp_path / "none")) == (None, False)
    (tmp_path / "status").write_text("Name: x\nVmRSS:\t   10 kB\n")
    assert (resident_bytes(tmp_path), peak_bytes(tmp_path)) == (10_240, None)
