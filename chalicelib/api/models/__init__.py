"""What is asked of the API and what it answers, as pydantic has it: requests are checked by it, answers are made by it,
and the OpenAPI document is generated from it."""
