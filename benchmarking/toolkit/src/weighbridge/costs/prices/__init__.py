"""The price book: dated, sourced prices of machines, endpoints, storage, traffic and managed models, and changes."""
