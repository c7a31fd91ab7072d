"""What keeps the memory of a large bill small."""

import subprocess
import sys

SEEN = """
import sys
import django
django.setup()
import governance.bills.tasks
assert "polars" not in sys.modules, "Polars was imported before it was told"
import os
print(os.environ["POLARS_HOT_TABLE_SIZE"])
"""


def test_polars_is_told_before_it_is_imported_how_many_groups_to_keep_at_hand() -> None:
    said = subprocess.run([sys.executable, "-c", SEEN], check=True, capture_output=True, text=True).stdout
    assert int(said) >= 100_000
