"""What a gateway of language models reports: the requests, tokens and money of each day and model."""
