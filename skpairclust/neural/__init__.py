"""What all estimators with a network train and predict with."""
