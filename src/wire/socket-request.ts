import { RequestBody } from './body.ts'

/** What a client says of a WebSocket that it wants: a request without a body. */
export interface SocketAsked {
  /** The rest of the path, such as `/translations`; usually empty. */
  readonly under: string
  /** The query without the model and without keys, as the client wrote it. */
  readonly query: readonly (readonly [name: string, value: string])[]
  /** Headers for the upstream. */
  readonly headers: Readonly<Record<string, string>>
  /** The organization and the project that the client's own key belongs to, as headers. */
  readonly belongings: Readonly<Record<string, string>>
}

const encoder = new TextEncoder()

/** A request for a WebSocket. Its outline has the model, and the rest is in `asked`. */
export class SocketRequest extends RequestBody {
  readonly asked: SocketAsked
  /** Whether the upstream is told the model: some sessions have none, and are only routed by one. */
  readonly tellsModel: boolean

  constructor(asked: SocketAsked, model: string | undefined, tellsModel = model !== undefined) {
    const outline = model === undefined ? {} : { model }
    super(encoder.encode(JSON.stringify(outline)), outline, model)
    this.asked = asked
    this.tellsModel = tellsModel
  }

  override get kind(): 'socket' {
    return 'socket'
  }

  /** What it is about follows in messages. */
  override get isWhole(): boolean {
    return false
  }

  override named(model: string): SocketRequest {
    return new SocketRequest(this.asked, model, this.tellsModel)
  }
}
