"""A double of a server of language models: the protocol is real, every time and every fault is stated."""
