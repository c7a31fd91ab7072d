"""Jobs: one mechanism for all leased tables, from claim to end. A new kind of job needs only a few lines."""
