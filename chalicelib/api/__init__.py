"""The edge of the HTTP API: what is asked is checked here, and what is answered is put into words."""
