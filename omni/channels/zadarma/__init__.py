"""Zadarma's virtual exchange (Novofon speaks the same)."""
