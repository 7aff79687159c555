"""The rules of an office's queue: pure decisions over values. The only place where order, labels and places are
decided.
"""
