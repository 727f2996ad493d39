"""Language models for desktop apps, as a process that speaks JSON-RPC over stdio."""

__version__ = "0.1.0"
