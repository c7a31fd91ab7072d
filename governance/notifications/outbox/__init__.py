"""What is told, to whom, and the messages that carry it. Rows are written in the transaction of what happened."""
