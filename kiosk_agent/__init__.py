"""The touch kiosk: checks people in and prints their ticket."""
