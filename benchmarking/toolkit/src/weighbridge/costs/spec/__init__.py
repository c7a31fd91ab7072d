"""The spec of a cost projection: files, ranges and pinned prices."""
