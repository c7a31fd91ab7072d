"""Rules of workloads: what the gate answers for what runs."""
