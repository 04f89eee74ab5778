"""Adapters that tell people and other systems what changed: Slack, SNS, an event bus, Security Hub."""
