"""Bills: files in the FOCUS format and accounts of schedulers, read in a stream, checked, added up, and allocated."""

import os

# Rows of a bill come in order of time, so neighbours seldom share a line: in Polars' usual table of a few thousand recent
# groups nearly every row would push out another, and what is pushed out is kept. It reads the setting when it is imported.
os.environ.setdefault("POLARS_HOT_TABLE_SIZE", str(2**17))
