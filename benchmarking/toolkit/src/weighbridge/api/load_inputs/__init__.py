"""What a load test sends: bodies from data, and prompts."""
