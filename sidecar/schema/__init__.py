"""The public contract: every type that crosses stdin or stdout. Rendered into `protocol/`."""
