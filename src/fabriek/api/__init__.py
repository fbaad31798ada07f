"""The HTTP interface: `app` puts it together; one file per area parses, calls one verb, and renders."""
