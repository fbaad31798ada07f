"""Where jobs run: `contract` is what every executor promises, `local` runs them on this machine, `environments` builds their packages."""
