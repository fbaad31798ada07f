"""The portal: server-rendered pages. `app` collects them, `pages/` has one file per area, `curves` draws, `forms` guards."""
