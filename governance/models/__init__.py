"""Tables of the ground floor and the constraints the database holds."""
