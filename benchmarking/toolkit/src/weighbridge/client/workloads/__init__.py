"""Reports of what runs in a cluster: read from the cluster or from a list, and sent to a server."""
