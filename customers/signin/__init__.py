"""Signing in: a password first, then a second factor where somebody has one, or the company's own OpenID Connect."""
