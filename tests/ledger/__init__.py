"""The ledger of findings."""
