"""Checks of parameters, and differences between versions of scikit-learn."""
