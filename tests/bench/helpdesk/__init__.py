"""django-helpdesk, what people would run otherwise: its settings, and a history for it. It has packages of its own."""
