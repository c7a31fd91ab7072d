"""Writers beside each other: people who file, upload, comment, vote and allocate at once, and what came of it."""
