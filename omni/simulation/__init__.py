"""A past period played again: the same guests, the same people at the same hours, other rules. Pure: no database, no clock."""
