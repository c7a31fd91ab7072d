"""The quality phase of a profile: answers for every row, their scores, and the verdict on them."""
