"""Adapters over boto3."""
