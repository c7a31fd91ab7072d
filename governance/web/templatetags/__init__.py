"""Template tags of the pages: thin wrappers around the pure modules beside this folder."""
