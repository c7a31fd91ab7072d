"""Gates of other systems that decide from the feed: one folder for each, which can be deleted."""
