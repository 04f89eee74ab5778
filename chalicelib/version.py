"""Which version this is; what is installed or deployed is called so."""

VERSION = "0.1.0"
