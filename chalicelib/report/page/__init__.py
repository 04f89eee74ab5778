"""The report page: an audit as one HTML document that needs nothing beside it."""
