"""`make try`: the application on recorded data of the demo, and how the recording is made."""
