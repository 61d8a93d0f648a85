"""Training and prediction for all estimators with a network."""
