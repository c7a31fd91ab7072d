"""Studies: results that are read as a whole, with their conclusions and their chart, and not only as metric values."""
