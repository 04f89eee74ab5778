"""The deployed functions, on an emulated AWS."""
