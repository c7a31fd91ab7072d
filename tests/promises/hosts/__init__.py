"""Several machines on one: network namespaces as hosts, a trial that kills each host and cuts each link."""
