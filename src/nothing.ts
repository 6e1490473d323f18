// Takes the place of modules that only add what a Worker has already: see `alias` in wrangler.toml.
export {}
