"""The pages, one file per area. Each asks the services what the page shows and renders one template."""
