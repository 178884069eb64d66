"""The families of functions that `tapead.scipy.linalg` collects."""
