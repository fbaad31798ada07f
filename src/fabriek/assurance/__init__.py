"""Where results come from: signed statements of origin. `statements` says what one holds, `service` makes and shows them."""
