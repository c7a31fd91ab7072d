"""The inbox, which is the first page: everything that needs an action of the reader."""
