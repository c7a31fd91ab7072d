"""Jobs: one mechanism for every leased table, from the claim to the end; a kind of job is registered in a few lines."""
