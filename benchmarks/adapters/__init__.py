"""One module per peer: each gives its library the same three calls."""
