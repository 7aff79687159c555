"""Citizen pages: booking without script, the secret link's pages, following a ticket, offices and legal texts."""
