"""Reading an account: exported files and snapshot files."""
