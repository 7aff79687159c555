"""A whole city on one machine: real processes on real parts, plus the things that stand around them in a city.

``plan`` says which processes with which settings (pure), ``city`` starts and stops them, ``desk`` is what a newcomer looks
at: the start page, the wide-area network that can be cut, the mailbox where all mail ends.
"""
