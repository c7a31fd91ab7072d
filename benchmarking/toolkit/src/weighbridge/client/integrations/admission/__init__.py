"""The gate of a Kubernetes cluster: a validating admission webhook that decides from a feed file."""
