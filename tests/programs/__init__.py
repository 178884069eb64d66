"""Ordinary numeric programs, for test_programs.py: none of them knows what will be done to it.

Each module ends with its table ``CASES`` of ``(name, function, arguments)``.
"""
