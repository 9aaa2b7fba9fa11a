"""Pages for supervisors about what came in: deliveries that need a person, and the sources they came by."""
