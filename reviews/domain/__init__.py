"""Pure rules of reviews: lifecycle, voting, what a packet says."""
