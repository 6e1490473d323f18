/** A provider's configuration, with its secrets resolved. */
export interface ProviderSettings {
  /** Without a trailing slash. */
  readonly baseURL: string
  readonly apiKey?: string | undefined
  readonly headers: Readonly<Record<string, string>>
  /** The settings that the definition itself declares. */
  readonly options: Readonly<Record<string, string>>
}
