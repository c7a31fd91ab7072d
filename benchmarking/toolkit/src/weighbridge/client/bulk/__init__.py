"""Many review requests at once: from the files of a folder, to the drafts of a server."""
