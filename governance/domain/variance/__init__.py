"""Plans against bills: why a cost differs, where the year ends, and how far a team's estimates can be trusted."""
