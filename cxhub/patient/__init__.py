"""Django's PostgreSQL, with connections that know how long a request may wait."""
