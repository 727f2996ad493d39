"""What a client can call: one file per namespace, and the table that lists them all."""
