"""One module for each kind of study. What a document concludes is computed again wherever its own numbers allow it."""
