"""AWS's policy language and an account's state. Pure: no I/O."""
