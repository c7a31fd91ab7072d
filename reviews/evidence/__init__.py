"""The evidence of a request: metric values, answers, projections, waivers and policy evaluations."""
