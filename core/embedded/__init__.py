"""The servers and processes of the product on one machine: found, started, watched and stopped without an administrator."""
