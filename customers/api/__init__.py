"""The REST API of customers, timelines, notes and keys."""
