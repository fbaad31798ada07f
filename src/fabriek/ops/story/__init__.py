"""The demo's ten steps, told through the public SDK and command line alone: `stage` keeps the time, the rest tells."""
