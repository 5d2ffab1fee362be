"""Measurements: each figure with the physical limit of the same machine, measured in the same run."""
