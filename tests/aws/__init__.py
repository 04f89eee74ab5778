"""Adapters against an emulator and against recorded answers."""
