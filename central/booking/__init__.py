"""Booking: slots and seats, availability, holds, appointments and their changes. Central is the only authority on them."""
