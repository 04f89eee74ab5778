"""What the deployed functions do. Each takes its event and tells what came of it; app.py names their triggers."""
