"""Benchmarks, each run as ``python -m benchmarks.bench_<what>`` from the repository."""
