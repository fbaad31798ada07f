"""The sealed-object format, used by server, SDK and node alike: objects, their context, the keys around them, and the manifest."""
