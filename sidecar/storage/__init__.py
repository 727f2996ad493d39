"""The one database file: the ledger of costs, budgets, and kept answers."""
