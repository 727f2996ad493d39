"""Bytes cut into frames. Pure."""
