"""Tells other systems of changes: signed messages, in order, tried again over days, each attempt kept."""
