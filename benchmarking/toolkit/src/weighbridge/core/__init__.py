"""What all of the toolkit shares: errors, metrics, documents, digests."""
