"""What a request would meet if it was submitted now: the policy that judges it, and the evidence that this wants."""
