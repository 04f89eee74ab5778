"""What answers each route: what is asked for has been checked, and what is answered will be."""
