/** Bundled as bytes: see the rule in wrangler.toml. */
declare module '*.gguf' {
  const bytes: ArrayBuffer
  export default bytes
}
