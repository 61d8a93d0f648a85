"""Checks of parameters, and what differs between versions of scikit-learn."""
