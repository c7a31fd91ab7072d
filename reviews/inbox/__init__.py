"""The first page: what needs the reader."""
