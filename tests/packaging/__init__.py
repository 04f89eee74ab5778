"""What ships: the Lambda bundle, its roles, the wheel."""
