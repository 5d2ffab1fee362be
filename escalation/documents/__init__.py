"""A map as people read it: as a page, PDF, spreadsheet."""
