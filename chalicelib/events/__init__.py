"""CloudTrail's records: what they say, whom they concern, and what was done without MFA. Pure, and nothing raises."""
