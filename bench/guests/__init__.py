"""What guests write, made by a grammar of its own: a labelled set for the measurement of topic suggestions."""
