"""The policies to attach, judged by the engine."""
