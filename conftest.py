"""Process-wide settings for the tests and for the doctests of the package.

The networks here are tiny: on a busy machine a second OpenMP thread can make their
training a hundred times slower.
"""

import os

# For worker processes, which inherit the environment but not torch's setting.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MPLBACKEND"] = "Agg"

import torch

torch.set_num_threads(1)
