"""Code shared by the whole toolkit: errors, metrics, documents, digests."""
