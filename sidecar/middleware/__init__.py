"""Each wraps a handler in a handler; one file, one policy."""
