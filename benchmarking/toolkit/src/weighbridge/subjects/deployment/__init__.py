"""Language models as they are deployed: architecture, memory, accelerators, and the subject of the kind `deployment`."""
