"""Model review requests from filing to decision: evidence, votes, authorizations, packets, tickets."""
