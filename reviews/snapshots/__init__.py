"""A snapshot of a request, and what is derived from it: allowed steps and the evidence bundle."""
