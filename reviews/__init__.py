"""Model review requests from filing to decision: evidence, votes, authorisations, packets, tickets."""
