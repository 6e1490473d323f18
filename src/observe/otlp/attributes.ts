/** Takes the attributes of a span, of a point of a metric or of a resource. What is undefined, or has no name, is left out. */
export interface Attributes {
  /** A text that others have chosen: without keys, cut, and without half characters, which strict readers refuse. */
  text(name: string | undefined, value: string | undefined): this
  /** The same for one that hardly comes a second time, such as an id, and so isn't remembered. */
  unique(name: string | undefined, value: string): this
  /** One of a few texts of the gateway's own, which has nothing to be left out or escaped. */
  word(name: string | undefined, value: string | undefined): this
  /** The gateway's own as well, but another one each time. */
  id(name: string, value: string): this
  texts(name: string | undefined, values: readonly string[]): this
  /** A whole number; anything else is left out. */
  int(name: string | undefined, value: unknown): this
  /** Anything but a finite number is left out. */
  double(name: string | undefined, value: unknown): this
  flag(name: string | undefined, value: boolean): this
  /** What is always the same for an object: `write` is called for the first of its spans, and has to be the same function. */
  same<Of extends object>(of: Of, write: (attributes: Attributes, of: Of) => void): this
}
