"""What the claims are held against: the idiomatic way to do the same, and the limit of the libraries alone."""
