"""The inputs of a measurement: what a model declares, the rows of a data set, and the queries made of them."""
