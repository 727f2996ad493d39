"""Models on disk: fetched, listed, deleted."""
