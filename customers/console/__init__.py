"""The agents' pages: find a customer, read the timeline. They read through the same functions as the API."""
