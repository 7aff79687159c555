"""A printer and a scanner made of software, with the same bytes on the same wires as real ones.

They know nothing of the kiosk: what they see is what a printer sees. The demo shows their tickets as pictures and pushes
scans through them; tests and the smoke judge by them.
"""
