"""The client of a Weighbridge server: requests, the feed of standings, and the gates that decide from it."""
