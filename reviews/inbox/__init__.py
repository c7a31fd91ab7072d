"""The inbox, which is the first page: everything that needs an action of the reader, and reminders of what lapses."""
