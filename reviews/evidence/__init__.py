"""What is known about a request: metric values, answers, projections, waivers, and what the policy says of them."""
