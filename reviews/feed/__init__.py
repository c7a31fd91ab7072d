"""The feed: an append-only, signed log of the standings of all artifacts; and the gate, which answers from it."""
