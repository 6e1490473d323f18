/** How the formats that models read begin, in bytes as characters. */
const formats: readonly (readonly [type: string, start: RegExp])[] = [
  ['image/png', /^\x89PNG\r\n\x1a\n/],
  ['image/jpeg', /^\xff\xd8\xff/],
  ['image/gif', /^GIF8[79]a/],
  ['image/webp', /^RIFF[\s\S]{4}WEBP/],
]

/** OpenAI's words for an image in another format. */
export const unsupportedImage =
  "You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp']."

/** The type of an image by its first bytes; undefined if it is in no format that models read. */
export function imageType(bytes: Uint8Array): string | undefined {
  return typeOf(String.fromCharCode(...bytes.subarray(0, 16)))
}

/** The same for an image in base64. */
export function imageTypeOfBase64(text: string): string | undefined {
  try {
    return typeOf(atob(text.slice(0, 24)))
  } catch {
    return undefined
  }
}

function typeOf(start: string): string | undefined {
  return formats.find(([, begins]) => begins.test(start))?.[0]
}
