"""What a measurement does inside the product: run by `python -m bench.child` with Django set up, one process per call."""
