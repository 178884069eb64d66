"""The rows of SciPy's functions, by family.  The modules above this one collect them."""
