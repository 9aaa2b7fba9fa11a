"""The REST API of events, receipts, deliveries and sources."""
