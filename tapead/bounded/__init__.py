"""Gradients of any program under a limit of memory: its tape is kept one stretch at a time."""
