"""The documentation: that it is complete, and that what it shows is so."""
