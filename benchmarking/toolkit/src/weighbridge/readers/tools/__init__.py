"""One module for each tool whose results are read."""
