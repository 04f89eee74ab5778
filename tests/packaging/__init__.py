"""What ships: the Lambda bundle, the templates, their roles."""
