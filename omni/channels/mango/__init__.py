"""Mango Office's virtual exchange."""
