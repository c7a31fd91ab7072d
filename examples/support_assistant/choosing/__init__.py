"""What the answers come to: capacity, scores, costs, the decision and its report."""
