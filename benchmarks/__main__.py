"""`python -m benchmarks [NAME ...]`: every measurement, or those named."""

from benchmarks.run import main

main()
