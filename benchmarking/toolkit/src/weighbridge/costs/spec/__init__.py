"""The spec of a cost projection: files, ranges, price pins."""
