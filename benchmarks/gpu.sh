#!/bin/sh
# All checks and figures of a GPU, in minutes, on a machine with torch and a GPU:
#
#     SKPAIRCLUST_DATA=... benchmarks/gpu.sh [results.jsonl [PART ... --jobs 6]]
#
# Fits whose rows are in the file already are passed over.
set -u
cd "$(dirname "$0")/.." || exit
results=${1:-benchmarks/results/gpu.jsonl}
[ $# -gt 0 ] && shift
export PYTHONPATH=. PYTHONUNBUFFERED=1
python3 -m pytest -q -p no:cacheprovider tests/test_gpu.py tests/test_fake_device.py
python3 -m benchmarks.gpu --out "$results" "$@"
