"""The kernel's high-water mark."""

import subprocess
import sys

from weighbridge.measure.conditions.memory import peak_bytes, reset_peak, resident_bytes

MEBIBYTES = """
from weighbridge.measure.conditions.memory import peak_bytes, reset_peak

reset_peak()
before = peak_bytes()
block = bytearray(b"1") * (50 << 20)
del block
remembered = peak_bytes() - before
reset_peak()
print(remembered >> 20, peak_bytes() - before >> 20)
"""


def test_the_peak_remembers_what_was_given_back():
    """The trial has a process of its own: in this one, other tests' objects may be given back at any moment."""
    answer = subprocess.run([sys.executable, "-c", MEBIBYTES], capture_output=True, text=True, check=True)
    remembered, after_reset = map(int, answer.stdout.split())
    assert 49 <= remembered <= 60
    assert after_reset <= 10


def test_the_peak_of_this_process_can_be_reset():
    assert reset_peak() is True


def test_what_the_kernel_does_not_tell_is_none(tmp_path):
    assert (peak_bytes(tmp_path), reset_peak(tmp_path / "none")) == (None, False)
    (tmp_path / "status").write_text("Name: x\nVmRSS:\t   10 kB\n")
    assert (resident_bytes(tmp_path), peak_bytes(tmp_path)) == (10_240, None)
