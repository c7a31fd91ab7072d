"""Which tests a change can touch: `make test-changed` runs them, and says why each group is run."""
