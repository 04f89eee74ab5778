"""Renderings of an audit."""
