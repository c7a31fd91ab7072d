"""Bills: files in the FOCUS format and accounts of schedulers, read in a stream, checked, added up, and allocated."""
