"""The quarterly review, pure: states of a cycle, its agenda, quorum, decisions, scorecard and minutes."""
