"""What the decision screen of a request shows: the question, the deciding metrics, and what is in doubt."""
