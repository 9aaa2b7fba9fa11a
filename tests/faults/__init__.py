"""Breaks real processes and servers while events are pushed, and compares the ledger with the timelines."""
