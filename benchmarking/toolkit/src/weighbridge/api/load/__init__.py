"""Load tests: what they send, the tests, and the replicas that follow from them."""
