"""Signing in with an account of the city's identity provider. What is decided stands in ``sync.domain.single_sign_on``."""
