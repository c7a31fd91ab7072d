"""What a search finds for a person."""
