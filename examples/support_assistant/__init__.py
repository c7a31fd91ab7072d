"""Support assistant: which language model answers a shop's tickets, from prompt to bill."""
