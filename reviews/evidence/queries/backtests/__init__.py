"""Back-tests: what past requests are, how versions are applied to them, and the results of long ones."""
